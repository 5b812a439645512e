import type { CelInput, CelResult } from '@bufbuild/cel';
import type { JsonSchema } from '@seine/k8s';
import { loadCel, loadCelStrings } from '../load-when-needed.js';
import { fieldSchema, isFields, isList } from './fields.js';

/** An absolute URL, or an absolute path: what Go's url.ParseRequestURI takes, on which Kubernetes' isURL rests. */
const requestUri = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(\/)?[^\s\p{Cc}\\]*$/u;

function parseUrl(text: string): { readonly scheme: string } | undefined {
  const match = requestUri.exec(text);
  if (!match || (match[1] === undefined && match[2] === undefined)) return undefined;
  if (/%(?![0-9a-fA-F]{2})/.test(text) || /^[^/?#]*:\/\/[^/?#]*[{}<>"^`|]/.test(text)) return undefined;
  return { scheme: match[1]?.toLowerCase() ?? '' };
}

type Program = (bindings: Record<string, CelInput>) => CelResult;
type Planner = (rule: string) => Program;

function newPlanner(): Planner {
  const { celEnv, celFunc, celMethod, CelScalar, parse, plan } = loadCel();
  const environment = celEnv({
    funcs: [
      ...loadCelStrings().strings,
      celFunc('isURL', [CelScalar.STRING], CelScalar.BOOL, (text) => parseUrl(text) !== undefined),
      // Kubernetes has a type for URLs; its text serves as well, as the rules only ask for the scheme.
      celFunc('url', [CelScalar.STRING], CelScalar.STRING, (text) => {
        if (!parseUrl(text)) throw new Error('not a URL');
        return text;
      }),
      celMethod('getScheme', CelScalar.STRING, [], CelScalar.STRING, function () {
        return parseUrl(this)?.scheme ?? '';
      }),
    ],
  });
  return (rule) => plan(environment, parse(rule));
}

let planRule: Planner | undefined;
const programs = new Map<string, Program>();

function programOf(rule: string): Program {
  let program = programs.get(rule);
  if (!program) {
    planRule ??= newPlanner();
    programs.set(rule, (program = planRule(rule)));
  }
  return program;
}

/** A JSON value as CEL takes it: whole numbers are ints there, not doubles. */
export function celInput(value: unknown, schema: JsonSchema | undefined): CelInput {
  if (isList(value)) return value.map((item) => celInput(item, schema?.items));
  if (isFields(value))
    return new Map(
      Object.entries(value).map(([key, field]) => [key, celInput(field, schema && fieldSchema(schema, key))]),
    );
  if (typeof value === 'number') return schema?.type === 'integer' && Number.isInteger(value) ? BigInt(value) : value;
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** What a rule says of a value: that it holds, that it does not, or why it cannot be evaluated. */
export function evaluateRule(rule: string, self: CelInput): { readonly holds: boolean; readonly failure?: string } {
  const result = programOf(rule)({ self });
  if (loadCel().isCelError(result)) return { holds: false, failure: result.message };
  return { holds: result === true };
}
