import type { Diagnostic } from '@seine/diagnostics';
import type { IstioService, QuotaSpecBindingSpec, QuotaSpecSpec, StringMatch } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import { textOf } from '../attributes/text-of.js';
import type { AttributeBag, Vocabulary } from '../attributes/value-type.js';
import { ExpressionError } from '../expressions/expression-error.js';
import { safePattern } from '../expressions/patterns.js';
import { refOf } from './names.js';
import type { QuotaBinding, QuotaRule } from './policy.js';
import { below, Problems } from './problems.js';

interface CompiledQuotaSpec {
  readonly rules: readonly QuotaRule[];
  readonly problems: readonly Diagnostic[];
}

type Test = (bag: AttributeBag) => boolean;

const never: Test = () => false;

export const compileQuotaSpec = memo(
  'mixer-quota-spec',
  (object: ConfigObject, vocabulary: Vocabulary): CompiledQuotaSpec => {
    const problems = new Problems(object);
    const { namespace } = object.metadata;
    const { rules = [] } = (object.spec ?? {}) as QuotaSpecSpec;
    const compiled = rules.map(({ match = [], quotas = [] }, i): QuotaRule => ({
      matches: match.map(({ clause = {} }, j) =>
        compileClause(clause, vocabulary, problems, `spec.rules[${i}].match[${j}].clause`),
      ),
      quotas: quotas.map(({ quota = '', charge = 1 }) => ({ quota, namespace, charge })),
      reads: [...new Set(match.flatMap(({ clause = {} }) => Object.keys(clause)))].sort(),
    }));
    return { rules: compiled, problems: problems.found };
  },
);

function compileClause(
  clause: Readonly<Record<string, StringMatch>>,
  vocabulary: Vocabulary,
  problems: Problems,
  path: string,
): Test {
  const tests = Object.entries(clause).map(([name, match]): Test => {
    const at = below(path, name);
    const type = vocabulary.get(name);
    if (type === undefined || type === 'STRING_MAP') {
      problems.error(
        at,
        type ? `${name} is a map: only what is one value is compared` : `there is no attribute ${name}`,
      );
      return never;
    }
    const test = compileMatch(match, at, problems);
    return (bag) => {
      const value = bag.get(name);
      return value !== undefined && test(textOf(value));
    };
  });
  return (bag) => tests.every((test) => test(bag));
}

function compileMatch(
  { exact, prefix, regex = '' }: StringMatch,
  path: string,
  problems: Problems,
): (text: string) => boolean {
  if (exact !== undefined) return (text) => text === exact;
  if (prefix !== undefined) return (text) => text.startsWith(prefix);
  try {
    const pattern = safePattern(`^(?:${regex})$`, 0);
    return (text) => pattern.test(text);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    problems.error(below(path, 'regex'), error.message);
    return () => false;
  }
}

/** Hosts of a service that a binding names. */
export function hostOf(
  { name = '', namespace, domain, service }: IstioService,
  from: string,
  clusterDomain: string,
): string {
  if (service) return service;
  if (name === '*' || name.includes('.')) return name;
  return `${name}.${namespace || from}.${domain || `svc.${clusterDomain}`}`;
}

/** @param specs by `namespace/name` */
export function compileQuotaBinding(
  object: ConfigObject,
  specs: ReadonlyMap<string, CompiledQuotaSpec>,
  clusterDomain: string,
): { readonly binding: QuotaBinding | undefined; readonly problems: readonly Diagnostic[] } {
  const problems = new Problems(object);
  const { namespace } = object.metadata;
  const { services = [], quotaSpecs = [] } = (object.spec ?? {}) as QuotaSpecBindingSpec;
  const rules = quotaSpecs.flatMap(({ name = '', namespace: of = namespace }, i) => {
    const spec = specs.get(`${of}/${name}`);
    if (!spec) problems.error(`spec.quotaSpecs[${i}]`, `there is no QuotaSpec ${of}/${name}`, 'IST0101');
    return spec?.rules ?? [];
  });
  const hosts = new Set(services.map((service) => hostOf(service, namespace, clusterDomain)));
  const binding = rules.length > 0 ? { hosts, rules, object: refOf(object) } : undefined;
  return { binding, problems: problems.found };
}
