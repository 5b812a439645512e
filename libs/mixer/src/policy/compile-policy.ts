import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { internByKey, internList } from '@seine/memo';
import type { AdapterKind } from '../adapters/adapter.js';
import type { InstanceTypes } from '../templates/template.js';
import { type AdapterCatalog, adapterCatalog } from './compile-handler.js';
import { compileApiBinding, compileApiSpec } from './compile-api.js';
import { compileQuotaBinding, compileQuotaSpec } from './compile-quota.js';
import { compileVocabulary } from './compile-vocabulary.js';
import { fullName, refOf } from './names.js';
import { expressionWithDerived, withDerivedReads } from './derived-reads.js';
import type {
  ApiBinding,
  DerivedAttribute,
  MixerPolicy,
  PolicyHandler,
  PolicyInstance,
  PolicyRule,
  QuotaBinding,
} from './policy.js';
import type { PolicyObjects } from './policy-objects.js';
import { PolicyParts, rememberSources, sourcesOf } from './policy-parts.js';
import { soundObjects } from './sound-objects.js';
import { type LinkedRule, linkRule } from './link-rule.js';

export interface PolicyOptions {
  /** Undefined: handlers' parameters stay as written, and no adapter is unknown. */
  readonly adapters?: readonly AdapterKind[] | undefined;
  /** Default `cluster.local`. */
  readonly clusterDomain?: string | undefined;
  /** What was in force: where an instance, rule or handler can no longer be compiled, what it was before stays. */
  readonly previous?: MixerPolicy | undefined;
}

const internManifests = internList();
const catalogs = new WeakMap<readonly AdapterKind[], AdapterCatalog>();

function catalogOf(kinds: readonly AdapterKind[]): AdapterCatalog {
  const known = catalogs.get(kinds) ?? adapterCatalog(kinds);
  catalogs.set(kinds, known);
  return known;
}

/**
 * Makes a policy of mixer's objects. What is wrong with one object costs that object and what refers to it, and is said in
 * `problems`; the others are as if it were not there. Never throws. What is made of an object by itself is remembered by the
 * object's identity.
 */
export function compilePolicy(given: PolicyObjects, options: PolicyOptions = {}): MixerPolicy {
  const { adapters, clusterDomain = 'cluster.local', previous } = options;
  const before = sourcesOf(previous);
  const { objects, problems: ofObjects } = soundObjects(given, before);
  const manifests = internManifests(objects.filter(({ kind }) => kind === 'attributemanifest'));
  const { vocabulary, problems: ofVocabulary } = compileVocabulary(manifests);
  const parts = new PolicyParts(objects, { vocabulary, catalog: adapters && catalogOf(adapters), before });
  const linked = parts.rules.map((rule) => linkRule(rule, parts));
  const derived = linked.flatMap((rule) => rule.derived);
  const instances = instancesOf(parts, derived);
  const handlers = handlersOf(linked, parts);
  const rules = linked.flatMap((rule) => finishRule(rule, { handlers, instances, derived }));
  const quotas = quotasOf(objects, vocabulary, clusterDomain);
  const apis = apisOf(objects, vocabulary, clusterDomain);
  const policy: MixerPolicy = Object.freeze({
    vocabulary,
    handlers,
    instances,
    rules,
    quotaBindings: quotas.bindings,
    apis: apis.bindings,
    derived,
    problems: [
      ...ofObjects,
      ...ofVocabulary,
      ...parts.problems,
      ...linked.flatMap(({ problems }) => problems),
      ...quotas.problems,
      ...apis.problems,
    ],
  });
  rememberSources(policy, parts);
  return policy;
}

const manyHandlers = 10_000;
const internHandler = internByKey<PolicyHandler>(manyHandlers);

/** The handlers that rules hand something to, each with all that they hand to it. */
function handlersOf(linked: readonly LinkedRule[], parts: PolicyParts): ReadonlyMap<string, PolicyHandler> {
  const given = new Map<string, Map<string, InstanceTypes>>();
  for (const { handler, instances } of linked.flatMap(({ actions }) => actions)) {
    const types = given.get(handler) ?? new Map<string, InstanceTypes>();
    for (const instance of instances) types.set(instance.name, instance.types);
    given.set(handler, types);
  }
  const handlers = [...given]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, types]) => {
      const compiled = parts.handlers.get(name);
      if (!compiled) return [];
      const instances = new Map([...types].sort(([a], [b]) => (a < b ? -1 : 1)));
      const { adapter, params, source } = compiled;
      const handler = { name, namespace: source.metadata.namespace, adapter, params, instances, object: refOf(source) };
      const key = JSON.stringify([name, adapter, params, [...instances].map(([of, one]) => [of, typesKey(one)])]);
      return [[name, internHandler(key, () => Object.freeze(handler))] as const];
    });
  return new Map(handlers);
}

function typesKey({ template, value, maps }: InstanceTypes): unknown {
  return [template, value, Object.entries(maps).map(([field, types]) => [field, [...(types ?? [])]])];
}

function instancesOf(parts: PolicyParts, derived: readonly DerivedAttribute[]): ReadonlyMap<string, PolicyInstance> {
  const found = [...parts.instances].flatMap(([name, { instance }]) => (instance ? [[name, instance] as const] : []));
  if (derived.length === 0) return new Map(found);
  return new Map(
    found.map(([name, instance]) => {
      const reads = withDerivedReads(instance.reads, derived);
      return [name, reads === instance.reads ? instance : { ...instance, reads }];
    }),
  );
}

interface Finished {
  readonly handlers: ReadonlyMap<string, PolicyHandler>;
  readonly instances: ReadonlyMap<string, PolicyInstance>;
  readonly derived: readonly DerivedAttribute[];
}

/** A rule that has nothing left to do is not in force. */
function finishRule({ draft, actions }: LinkedRule, { handlers, instances, derived }: Finished): readonly PolicyRule[] {
  if (!draft) return [];
  const whole = actions.flatMap(({ handler: name, instances: given, name: actionName }) => {
    const handler = handlers.get(name);
    return handler
      ? [{ name: actionName, handler, instances: given.map((one) => instances.get(one.name) ?? one) }]
      : [];
  });
  const works = whole.length > 0 || draft.requestHeaders.length > 0 || draft.responseHeaders.length > 0;
  const match = expressionWithDerived(draft.match, derived);
  return works ? [Object.freeze({ ...draft, match, actions: whole })] : [];
}

function quotasOf(
  objects: PolicyObjects,
  vocabulary: MixerPolicy['vocabulary'],
  clusterDomain: string,
): { readonly bindings: readonly QuotaBinding[]; readonly problems: readonly Diagnostic[] } {
  const specs = new Map(
    objects
      .filter(({ kind }) => kind === 'QuotaSpec')
      .map((object) => {
        const { namespace, name } = object.metadata;
        return [`${namespace}/${name}`, compileQuotaSpec(object, vocabulary)] as const;
      }),
  );
  const bindings = objects
    .filter(({ kind }) => kind === 'QuotaSpecBinding')
    .sort((a, b) => (fullName(a) < fullName(b) ? -1 : 1))
    .map((object) => compileQuotaBinding(object, specs, clusterDomain));
  return {
    bindings: bindings.flatMap(({ binding }) => (binding ? [binding] : [])),
    problems: [
      ...[...specs.values()].flatMap(({ problems }) => problems),
      ...bindings.flatMap(({ problems }) => problems),
    ],
  };
}

function apisOf(
  objects: PolicyObjects,
  vocabulary: MixerPolicy['vocabulary'],
  clusterDomain: string,
): { readonly bindings: readonly ApiBinding[]; readonly problems: readonly Diagnostic[] } {
  const of = (wanted: string): readonly ConfigObject[] => objects.filter(({ kind }) => kind === wanted);
  const specs = new Map(
    of('HTTPAPISpec').map((object) => {
      const { namespace, name } = object.metadata;
      return [`${namespace}/${name}`, compileApiSpec(object, vocabulary)] as const;
    }),
  );
  const bindings = [...of('HTTPAPISpecBinding')]
    .sort((a, b) => (fullName(a) < fullName(b) ? -1 : 1))
    .map((object) => compileApiBinding(object, specs, clusterDomain));
  return {
    bindings: bindings.flatMap(({ binding }) => (binding ? [binding] : [])),
    problems: [...[...specs.values()], ...bindings].flatMap(({ problems }) => problems),
  };
}
