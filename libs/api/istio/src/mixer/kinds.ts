import type { KindInfo } from '@seine/k8s';
import { type Definition, kindsOf } from '../kinds/istio-kinds.js';
import { pluralOf } from '../kinds/plural.js';
import { struct } from '../schema.js';
import { AdapterSchema, TemplateSchema } from './adapter.js';
import { HttpApiSpecBindingSchema, HttpApiSpecSchema } from './api-spec.js';
import { AttributeManifestSchema } from './attribute-manifest.js';
import { mixerErrors } from './errors.js';
import { MixerHandlerSchema } from './handler.js';
import { MixerInstanceSchema } from './instance.js';
import { QuotaSpecBindingSchema, QuotaSpecSchema } from './quota-spec.js';
import { MixerRuleSchema } from './rule.js';
import { mixerTemplates } from './templates.js';

/** The group of mixer's kinds. */
export const mixerGroup = 'config.istio.io';

const common = { versions: ['v1alpha2*'], actedOn: true };

const definitions: readonly Definition[] = [
  { kind: 'attributemanifest', spec: AttributeManifestSchema, ...common },
  { kind: 'handler', spec: MixerHandlerSchema, specRequired: true, ...common },
  { kind: 'instance', spec: MixerInstanceSchema, specRequired: true, ...common },
  { kind: 'rule', spec: MixerRuleSchema, specRequired: true, ...common },
  { kind: 'QuotaSpec', spec: QuotaSpecSchema, specRequired: true, ...common },
  { kind: 'QuotaSpecBinding', spec: QuotaSpecBindingSchema, specRequired: true, ...common },
  { kind: 'HTTPAPISpec', spec: HttpApiSpecSchema, specRequired: true, ...common },
  { kind: 'HTTPAPISpecBinding', spec: HttpApiSpecBindingSchema, specRequired: true, ...common },
  { kind: 'adapter', spec: AdapterSchema, ...common, actedOn: false },
  { kind: 'template', spec: TemplateSchema, ...common, actedOn: false },
];

/** Kinds that a handler of one adapter was before there were handlers: their spec is its `params`. */
export const mixerAdapterKinds = [
  ...['denier', 'dogstatsd', 'fluentd', 'kubernetesenv', 'listchecker', 'memquota', 'noop', 'opa'],
  ...['prometheus', 'rbac', 'redisquota', 'statsd', 'stdio', 'zipkin'],
] as const;

/** Kinds that an instance of one template was before there were instances: their spec is its `params`. */
export const mixerTemplateKinds: readonly string[] = Object.keys(mixerTemplates);

const old: readonly Definition[] = [
  ...mixerAdapterKinds.map((kind) => ({
    kind,
    plural: pluralOf(kind),
    spec: struct(`A handler of the adapter ${kind}: its parameters.`),
    ...common,
  })),
  ...mixerTemplateKinds.map((kind) => ({
    kind,
    plural: pluralOf(kind),
    spec: struct(`An instance of the template ${kind}: its fields, each an expression.`),
    ...common,
  })),
];

const validated = (info: KindInfo): KindInfo => ({ ...info, validateSpec: mixerErrors });

/** What mixer does, as Istio 1.0 to 1.7 had it. */
export const mixerKinds: readonly KindInfo[] = kindsOf(mixerGroup, definitions).map(validated);

/** The same, as the first releases had it: a kind for each adapter and each template. */
export const oldMixerKinds: readonly KindInfo[] = kindsOf(mixerGroup, old).map(validated);
