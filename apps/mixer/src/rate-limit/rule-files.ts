import { type Diagnostic, formatDiagnostic } from '@seine/diagnostics';
import { type DomainRules, parseRateLimitConfig, type RuleTree } from '@seine/rate-limit';
import { parseDocument } from 'yaml';

export interface RuleFilesOptions {
  readonly files: readonly string[];
  /** Tells the text of a file, at once and after each change; undefined = it is not there. @returns ends it */
  readonly watch: (file: string, onText: (text: string | undefined) => void) => () => void;
  /** Is told what is wrong; what was in force stays so. */
  readonly onProblem: (message: string) => void;
}

/** The rules of all files; a file that is wrong keeps those that it had (conformance R-13). */
export class RuleFiles {
  readonly #byFile = new Map<string, DomainRules>();
  readonly #ends: (() => void)[];
  #tree: RuleTree = new Map();

  constructor({ files, watch, onProblem }: RuleFilesOptions) {
    this.#ends = files.map((file) =>
      watch(file, (text) => {
        for (const problem of this.#take(file, text)) onProblem(problem);
      }),
    );
  }

  get rules(): RuleTree {
    return this.#tree;
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  /** @returns what is wrong */
  #take(file: string, text: string | undefined): readonly string[] {
    if (text === undefined) return [`${file} cannot be read: what it said before stays in force`];
    const { rules, diagnostics } = parseRules(file, text);
    if (!rules) return diagnostics.map(formatDiagnostic);
    const other = [...this.#byFile].find(([name, { domain }]) => name !== file && domain === rules.domain);
    if (other) return [`${file}: domain ${rules.domain} is in ${other[0]} already: each domain has one file`];
    this.#byFile.set(file, rules);
    this.#tree = new Map([...this.#byFile.values()].map(({ domain, root }) => [domain, root]));
    return [];
  }
}

function parseRules(
  file: string,
  text: string,
): { rules: DomainRules | undefined; diagnostics: readonly Diagnostic[] } {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) {
    const position = { file, line: error.linePos?.[0].line ?? 1, column: error.linePos?.[0].col };
    return {
      rules: undefined,
      diagnostics: [
        { severity: 'error', code: 'SEINE-YAML', message: error.message.split('\n', 1)[0] ?? '', position },
      ],
    };
  }
  const { rules, diagnostics } = parseRateLimitConfig(document.toJS());
  return {
    rules,
    diagnostics: diagnostics.map((one) => ({
      ...one,
      position: { file, line: lineOf(document, text, one.path ?? '') },
    })),
  };
}

/** The line of a field, or of what is nearest above it. */
function lineOf(document: ReturnType<typeof parseDocument>, text: string, path: string): number {
  const keys = path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true) as { range?: readonly number[] } | undefined;
    const offset = node?.range?.[0];
    if (offset !== undefined) return text.slice(0, offset).split('\n').length;
  }
  return 1;
}
