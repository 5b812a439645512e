import type { Diagnostic } from '@seine/diagnostics';
import {
  type MixerInstanceSpec,
  mixerTemplateKinds,
  mixerTemplates,
  normalizeValue,
  oldTemplateSchema,
  type TemplateFields,
  templateSchema,
} from '@seine/istio';
import { type ConfigObject, fieldsOf } from '@seine/k8s';
import { memo } from '@seine/memo';
import type { AttributeBag, Vocabulary } from '../attributes/value-type.js';
import type { TemplateName, Templates } from '../templates/template.js';
import { fullName, refOf } from './names.js';
import type { PolicyInstance } from './policy.js';
import { Problems } from './problems.js';
import { fillTemplate, makeFields, type OnCut } from './template-fields.js';

/** What is made of an object that is an instance. */
export interface CompiledInstance {
  readonly name: string;
  readonly source: ConfigObject;
  /** Undefined where it cannot be used, or is of the template `kubernetes`. */
  readonly instance: PolicyInstance | undefined;
  readonly template: string;
  readonly problems: readonly Diagnostic[];
}

const oldKinds: ReadonlySet<string> = new Set(mixerTemplateKinds);

/** Labels of metrics are kept for long, lines of logs are not. Texts elsewhere are as long as attributes may be. */
const longestTexts: Readonly<Partial<Record<string, number>>> = { metric: 1024, logentry: 16_384 };

interface Written {
  readonly template: string;
  readonly params: unknown;
  readonly path: string;
}

function read(object: ConfigObject): Written {
  if (oldKinds.has(object.kind)) return { template: object.kind, params: object.spec, path: 'spec' };
  const { compiledTemplate, template, params } = (object.spec ?? {}) as MixerInstanceSpec;
  return { template: compiledTemplate || template || '', params, path: 'spec.params' };
}

export function isInstanceObject({ kind }: ConfigObject): boolean {
  return kind === 'instance' || oldKinds.has(kind);
}

/** Compiles an object of the kind `instance`, or of a template's kind. */
export const compileInstance = memo(
  'mixer-instance',
  (object: ConfigObject, vocabulary: Vocabulary): CompiledInstance => {
    const problems = new Problems(object);
    const { template, params, path } = read(object);
    const name = fullName(object);
    const schema = oldKinds.has(object.kind) ? oldTemplateSchema(template) : templateSchema(template);
    if (!schema) {
      problems.warning(
        `spec.compiledTemplate`,
        `there is no template ${template}: nothing is made of it`,
        'SEINE-UNSUPPORTED',
      );
      return { name, source: object, instance: undefined, template, problems: problems.found };
    }
    const fields: TemplateFields = mixerTemplates[template as keyof typeof mixerTemplates];
    const written = fieldsOf(normalizeValue(schema, params ?? {}));
    const longest = longestTexts[template] ?? Infinity;
    const filled = fillTemplate(fields, written, vocabulary, problems, path, longest);
    const instance =
      problems.found.length > 0 || template === 'kubernetes'
        ? undefined
        : instanceOf(object, name, template as TemplateName, filled);
    return { name, source: object, instance, template, problems: problems.found };
  },
);

function instanceOf(
  object: ConfigObject,
  name: string,
  template: TemplateName,
  { fields, expressions, value, maps }: ReturnType<typeof fillTemplate>,
): PolicyInstance {
  return {
    name,
    template,
    types: { template, maps, ...(value !== undefined && { value }) },
    reads: [...new Set(expressions.flatMap(({ reads }) => reads))].sort(),
    // The fields are those of the template: its table is typed beside it.
    make: (bag: AttributeBag, onCut?: OnCut) =>
      makeFields({ instance: name }, fields, bag, onCut) as unknown as Templates[TemplateName] | undefined,
    missing: (bag) => fields.flatMap((field) => field.missing(bag)),
    object: refOf(object),
  };
}
