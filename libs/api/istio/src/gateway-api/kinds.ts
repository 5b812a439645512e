import type { ConfigObject, JsonSchema, KindInfo, PrinterColumn } from '@seine/k8s';
import type { TSchema } from '@sinclair/typebox';
import { experimentalGroup, gatewayGroup } from './common.js';
import { gatewayApiErrors } from './errors.js';
import { GatewayClassSchema, GatewaySchema, ListenerSetSchema, ReferenceGrantSchema } from './gateway.js';
import { HTTPRouteSchema } from './http-route.js';
import { GRPCRouteSchema, TCPRouteSchema, TLSRouteSchema } from './other-routes.js';
import { BackendSchema, BackendTLSPolicySchema, BackendTrafficPolicySchema } from './policies.js';

interface Row extends Partial<Pick<KindInfo, 'plural' | 'shortNames' | 'printerColumns'>> {
  readonly kind: string;
  /** The preferred version first; the one that is stored has a star. */
  readonly versions: readonly string[];
  /** Undefined for kinds that are known but not acted on. */
  readonly spec?: TSchema;
  readonly clusterScoped?: true;
}

function objectSchema(kind: string, spec: TSchema): JsonSchema {
  return {
    type: 'object',
    description: `${kind}.`,
    properties: { spec: spec as unknown as JsonSchema },
    required: ['spec'],
    additionalProperties: false,
  };
}

function kindsOf(group: string, rows: readonly Row[]): readonly KindInfo[] {
  return rows.map(({ kind, versions, spec, plural, shortNames, printerColumns, clusterScoped }) => ({
    group,
    kind,
    plural: plural ?? `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    shortNames: shortNames ?? [],
    categories: ['gateway-api'],
    versions: versions.map((version) => ({
      name: version.replace('*', ''),
      served: true,
      storage: version.endsWith('*'),
    })),
    namespaced: !clusterScoped,
    schema: spec && objectSchema(kind, spec),
    actedOn: spec !== undefined,
    printerColumns,
    validateSpec: spec && ((object: ConfigObject) => gatewayApiErrors(kind, object.spec)),
  }));
}

const column = (name: string, jsonPath: string, description: string): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
});
const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was made.',
};
const hosts = [column('Hostnames', '.spec.hostnames', 'Hosts that are routed.'), age];

const v1 = ['v1*', 'v1beta1', 'v1alpha2'];
const grown = ['v1*', 'v1alpha3', 'v1alpha2'];

/** The kinds of the Kubernetes Gateway API, standard and experimental, in the versions that were published. */
export const gatewayApiKinds: readonly KindInfo[] = [
  ...kindsOf(gatewayGroup, [
    {
      kind: 'Gateway',
      versions: v1,
      spec: GatewaySchema,
      shortNames: ['gtw'],
      printerColumns: [column('Class', '.spec.gatewayClassName', 'Class.'), age],
    },
    {
      kind: 'GatewayClass',
      plural: 'gatewayclasses',
      versions: v1,
      spec: GatewayClassSchema,
      shortNames: ['gc'],
      printerColumns: [column('Controller', '.spec.controllerName', 'Who serves it.'), age],
      clusterScoped: true,
    },
    { kind: 'HTTPRoute', versions: v1, spec: HTTPRouteSchema, printerColumns: hosts },
    { kind: 'GRPCRoute', versions: ['v1*', 'v1alpha2'], spec: GRPCRouteSchema, printerColumns: hosts },
    { kind: 'TLSRoute', versions: grown, spec: TLSRouteSchema, printerColumns: hosts },
    { kind: 'TCPRoute', versions: ['v1*', 'v1alpha2'], spec: TCPRouteSchema, printerColumns: [age] },
    { kind: 'UDPRoute', versions: ['v1*', 'v1alpha2'] },
    {
      kind: 'ReferenceGrant',
      versions: ['v1', 'v1beta1*', 'v1alpha2'],
      spec: ReferenceGrantSchema,
      shortNames: ['refgrant'],
      printerColumns: [age],
    },
    {
      kind: 'BackendTLSPolicy',
      plural: 'backendtlspolicies',
      versions: grown,
      spec: BackendTLSPolicySchema,
      shortNames: ['btlspolicy'],
      printerColumns: [age],
    },
    { kind: 'BackendLBPolicy', plural: 'backendlbpolicies', versions: ['v1alpha2*'] },
    {
      kind: 'ListenerSet',
      versions: ['v1*'],
      spec: ListenerSetSchema,
      shortNames: ['lset'],
      printerColumns: [age],
    },
  ]),
  ...kindsOf(experimentalGroup, [
    { kind: 'XListenerSet', versions: ['v1alpha1*'], spec: ListenerSetSchema, printerColumns: [age] },
    {
      kind: 'XBackendTrafficPolicy',
      plural: 'xbackendtrafficpolicies',
      versions: ['v1alpha1*'],
      spec: BackendTrafficPolicySchema,
    },
    { kind: 'XBackend', versions: ['v1alpha1*'], spec: BackendSchema, printerColumns: [age] },
    { kind: 'XMesh', plural: 'xmeshes', versions: ['v1alpha1*'], clusterScoped: true },
  ]),
];
