import type { Diagnostic } from '@seine/diagnostics';
import { type MixerRuleSpec, parseDuration } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import type { Vocabulary } from '../attributes/value-type.js';
import type { Expression } from '../expressions/compile-expression.js';
import { compileHeaders } from './compile-headers.js';
import { compileSampling } from './compile-sampling.js';
import { fullName } from './names.js';
import type { PolicyRule } from './policy.js';
import { Problems } from './problems.js';

/** What is made of a rule before its references are followed. */
export interface CompiledRule {
  readonly name: string;
  readonly source: ConfigObject;
  /** Undefined where the rule cannot be used at all. */
  readonly draft: Omit<PolicyRule, 'actions'> | undefined;
  readonly actions: readonly {
    readonly handler: string;
    readonly instances: readonly string[];
    readonly name: string | undefined;
  }[];
  readonly problems: readonly Diagnostic[];
}

export const failOpenAnnotation = 'policy.seine.dev/fail-open';
export const timeoutAnnotation = 'policy.seine.dev/timeout';

/** Rules of the first releases say by a label which protocol they are about. */
const protocolLabel = 'istio-protocol';

/** Compiles a rule by itself. */
export const compileRule = memo('mixer-rule', (object: ConfigObject, vocabulary: Vocabulary): CompiledRule => {
  const problems = new Problems(object);
  const spec = (object.spec ?? {}) as MixerRuleSpec;
  const actions = (spec.actions ?? []).map(({ handler = '', instances = [], name }) => ({
    handler,
    instances,
    name: name === '' ? undefined : name,
  }));
  const names = actions.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const match = matchOf(object, spec, vocabulary, problems);
  const draft = {
    name: fullName(object),
    namespace: object.metadata.namespace,
    match: match === 'all' ? undefined : match,
    requestHeaders: compileHeaders(
      spec.requestHeaderOperations,
      names,
      vocabulary,
      problems,
      'spec.requestHeaderOperations',
    ),
    responseHeaders: compileHeaders(
      spec.responseHeaderOperations,
      names,
      vocabulary,
      problems,
      'spec.responseHeaderOperations',
    ),
    sampling: compileSampling(spec, vocabulary, problems),
    failOpen: failOpenOf(object, problems),
    timeoutMs: timeoutOf(object, problems),
    object: { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name },
  };
  const { found } = problems;
  const usable = match !== undefined && !found.some(({ severity }) => severity === 'error');
  return { name: draft.name, source: object, draft: usable ? draft : undefined, actions, problems: found };
});

const protocols: Readonly<Record<string, string>> = {
  tcp: 'context.protocol == "tcp"',
  http: '(context.protocol == "http" || context.protocol == "grpc")',
};

function matchOf(
  { metadata }: ConfigObject,
  { match = '' }: MixerRuleSpec,
  vocabulary: Vocabulary,
  problems: Problems,
): Expression | 'all' | undefined {
  const label = metadata.labels?.[protocolLabel] ?? '';
  const protocol = Object.hasOwn(protocols, label) ? protocols[label] : undefined;
  const compile = (text: string): Expression | undefined =>
    problems.expression('spec.match', text, vocabulary, ['BOOL']);
  if (match.trim() === '') return protocol === undefined ? 'all' : compile(protocol);
  const written = compile(match);
  return written && protocol !== undefined ? compile(`${protocol} && (${match})`) : written;
}

function failOpenOf({ metadata }: ConfigObject, problems: Problems): boolean | undefined {
  const text = metadata.annotations?.[failOpenAnnotation];
  if (text === undefined || text === 'true' || text === 'false')
    return text === undefined ? undefined : text === 'true';
  problems.warning(
    `metadata.annotations["${failOpenAnnotation}"]`,
    `must be "true" or "false", not ${JSON.stringify(text)}`,
  );
  return undefined;
}

const longestTimeoutMs = 60_000;

function timeoutOf({ metadata }: ConfigObject, problems: Problems): number | undefined {
  const text = metadata.annotations?.[timeoutAnnotation];
  if (text === undefined) return undefined;
  const timeout = parseDuration(text);
  if (timeout !== undefined && timeout >= 1 && timeout <= longestTimeoutMs) return timeout;
  problems.warning(
    `metadata.annotations["${timeoutAnnotation}"]`,
    `must be a duration from 1ms to 1m, as "200ms", not ${JSON.stringify(text)}`,
  );
  return undefined;
}
