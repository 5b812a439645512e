import type { ConfigObject, JsonSchema, KindInfo, PrinterColumn } from '@seine/k8s';
import type { TSchema } from '@sinclair/typebox';
import { TrafficExtensionSchema } from '../extensions/traffic-extension.js';
import { WasmPluginSchema } from '../extensions/wasm-plugin.js';
import { DestinationRuleSchema } from '../networking/destination-rule.js';
import { EnvoyFilterSchema } from '../networking/envoy-filter.js';
import { GatewaySchema } from '../networking/gateway.js';
import { ProxyConfigSchema } from '../networking/proxy-config.js';
import { ServiceEntrySchema } from '../networking/service-entry.js';
import { SidecarSchema } from '../networking/sidecar.js';
import { VirtualServiceSchema } from '../networking/virtual-service.js';
import { WorkloadEntrySchema } from '../networking/workload-entry.js';
import { WorkloadGroupSchema } from '../networking/workload-group.js';
import { AuthorizationPolicySchema } from '../security/authorization-policy.js';
import { PeerAuthenticationSchema } from '../security/peer-authentication.js';
import { RequestAuthenticationSchema } from '../security/request-authentication.js';
import { semanticErrors } from '../semantics/index.js';
import { TelemetrySchema } from '../telemetry/telemetry.js';

export interface Definition extends Partial<Pick<KindInfo, 'plural' | 'shortNames' | 'printerColumns' | 'actedOn'>> {
  readonly kind: string;
  readonly spec: TSchema;
  readonly specRequired?: boolean;
  /** The preferred version first; the one that is stored has a star. */
  readonly versions: readonly string[];
}

const column = (name: string, jsonPath: string, description: string): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
});
export const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was made.',
};

/** The object around a spec, as far as the kind defines it. */
function objectSchema({ kind, spec, specRequired }: Definition): JsonSchema {
  return {
    type: 'object',
    description: `${kind}.`,
    properties: { spec: spec as unknown as JsonSchema },
    required: specRequired ? ['spec'] : [],
    additionalProperties: false,
  };
}

/** The kinds of a group. @param categories beside the group's own: words by which `kubectl get` lists kinds together */
export function kindsOf(
  group: string,
  definitions: readonly Definition[],
  categories: readonly string[] = ['istio-io'],
): readonly KindInfo[] {
  const category = group.replaceAll('.', '-');
  return definitions.map((definition) => {
    const { kind, plural, shortNames, versions, printerColumns, actedOn } = definition;
    return {
      group,
      kind,
      plural: plural ?? `${kind.toLowerCase()}s`,
      singular: kind.toLowerCase(),
      shortNames: shortNames ?? [],
      categories: [...categories, category],
      versions: versions.map((version) => ({
        name: version.replace('*', ''),
        served: true,
        storage: version.endsWith('*'),
      })),
      namespaced: true,
      schema: objectSchema(definition),
      actedOn: actedOn ?? false,
      printerColumns,
      validateSpec: (object: ConfigObject) => semanticErrors(kind, object.spec),
    };
  });
}

const threeVersions = ['v1*', 'v1beta1', 'v1alpha3'];

const networking = kindsOf('networking.istio.io', [
  {
    kind: 'VirtualService',
    spec: VirtualServiceSchema,
    specRequired: true,
    versions: threeVersions,
    shortNames: ['vs'],
    actedOn: true,
    printerColumns: [
      column('Gateways', '.spec.gateways', 'Gateways that the routes apply to.'),
      column('Hosts', '.spec.hosts', 'Hosts that are routed.'),
      age,
    ],
  },
  {
    kind: 'DestinationRule',
    spec: DestinationRuleSchema,
    specRequired: true,
    versions: threeVersions,
    shortNames: ['dr'],
    actedOn: true,
    printerColumns: [column('Host', '.spec.host', 'Service that the rule is for.'), age],
  },
  {
    kind: 'Gateway',
    spec: GatewaySchema,
    specRequired: true,
    versions: threeVersions,
    shortNames: ['gw'],
    actedOn: true,
  },
  {
    kind: 'ServiceEntry',
    plural: 'serviceentries',
    spec: ServiceEntrySchema,
    specRequired: true,
    versions: threeVersions,
    shortNames: ['se'],
    actedOn: true,
    printerColumns: [
      column('Hosts', '.spec.hosts', 'Hosts of the service.'),
      column('Location', '.spec.location', 'Inside or outside the mesh.'),
      column('Resolution', '.spec.resolution', 'How its addresses are found.'),
      age,
    ],
  },
  {
    kind: 'WorkloadEntry',
    plural: 'workloadentries',
    spec: WorkloadEntrySchema,
    specRequired: true,
    versions: threeVersions,
    shortNames: ['we'],
    actedOn: true,
    printerColumns: [age, column('Address', '.spec.address', 'Address of the workload.')],
  },
  { kind: 'Sidecar', spec: SidecarSchema, versions: threeVersions, actedOn: true },
  {
    kind: 'WorkloadGroup',
    spec: WorkloadGroupSchema,
    specRequired: true,
    versions: threeVersions,
    shortNames: ['wg'],
    printerColumns: [age],
  },
  { kind: 'EnvoyFilter', spec: EnvoyFilterSchema, versions: ['v1alpha3*'], actedOn: true },
  { kind: 'ProxyConfig', spec: ProxyConfigSchema, versions: ['v1beta1*'], actedOn: true },
]);

const securityVersions = ['v1*', 'v1beta1'];

const security = kindsOf('security.istio.io', [
  {
    kind: 'PeerAuthentication',
    spec: PeerAuthenticationSchema,
    actedOn: true,
    versions: securityVersions,
    shortNames: ['pa'],
    printerColumns: [column('Mode', '.spec.mtls.mode', 'Whether mutual TLS is taken or required.'), age],
  },
  {
    kind: 'RequestAuthentication',
    spec: RequestAuthenticationSchema,
    versions: securityVersions,
    shortNames: ['ra'],
    actedOn: true,
  },
  {
    kind: 'AuthorizationPolicy',
    plural: 'authorizationpolicies',
    spec: AuthorizationPolicySchema,
    versions: securityVersions,
    actedOn: true,
    shortNames: ['ap'],
    printerColumns: [column('Action', '.spec.action', 'What happens when a rule holds.'), age],
  },
]);

const telemetry = kindsOf('telemetry.istio.io', [
  {
    kind: 'Telemetry',
    plural: 'telemetries',
    spec: TelemetrySchema,
    versions: ['v1', 'v1alpha1*'],
    shortNames: ['telemetry'],
    actedOn: true,
    printerColumns: [age],
  },
]);

const extensions = kindsOf('extensions.istio.io', [
  {
    kind: 'WasmPlugin',
    actedOn: true,
    spec: WasmPluginSchema,
    specRequired: true,
    versions: ['v1alpha1*'],
    printerColumns: [age],
  },
  {
    kind: 'TrafficExtension',
    actedOn: true,
    spec: TrafficExtensionSchema,
    specRequired: true,
    versions: ['v1alpha1*'],
    printerColumns: [age],
  },
]);

/** Istio's kinds, as the CustomResourceDefinitions of Istio 1.31 serve them. */
export const istioKinds: readonly KindInfo[] = [...networking, ...security, ...telemetry, ...extensions];
