import type { ConfigObject } from '@seine/k8s';
import {
  atMostOne,
  boundPort,
  choice,
  integer,
  list,
  message,
  type Of,
  struct,
  text,
  textMap,
  uint32,
} from '../schema.js';
import { targetRefs } from './policy-target.js';
import { WorkloadSelectorSchema } from './selector.js';

const named = (what: string) => text(`Name of the ${what}.`);

const SubFilterMatchSchema = message('A filter inside the filter, as an HTTP filter.', { name: named('inner filter') });
const FilterMatchSchema = message('A filter of the chain.', { name: named('filter'), subFilter: SubFilterMatchSchema });

export const ListenerMatchSchema = message('Which listeners are meant, and what in them.', {
  portNumber: uint32('Port of the service (outbound) or of the workload (inbound).'),
  portName: text('Has no effect, as in Istio.'),
  filterChain: message('Which filter chains are meant.', {
    name: named('filter chain'),
    sni: text('Server name that the chain is for.'),
    transportProtocol: text('raw_buffer or tls.'),
    applicationProtocols: text('Protocols by ALPN that the chain is for, comma separated.'),
    filter: FilterMatchSchema,
    destinationPort: uint32('Destination port that the chain is for.'),
  }),
  listenerFilter: named('listener filter'),
  name: named('listener'),
});

export const RouteConfigurationMatchSchema = message('Which route configurations are meant, and what in them.', {
  portNumber: uint32('Port of the service or of the gateway server.'),
  portName: text('Name of the port of the gateway server.'),
  gateway: text('Gateway, `namespace/name`.'),
  vhost: message('Which virtual hosts are meant.', {
    name: text('Name of the virtual host, `host:port`.'),
    domainName: text('A domain of the virtual host.'),
    route: message('Which routes are meant.', {
      name: named('route'),
      action: choice(['ANY', 'ROUTE', 'REDIRECT', 'DIRECT_RESPONSE'], 'What the route does.', { fallback: 'ANY' }),
    }),
  }),
  name: named('route configuration'),
});

export const ClusterMatchSchema = message('Which clusters are meant.', {
  portNumber: uint32('Port of the service.'),
  service: text('Host of the service, fully qualified.'),
  subset: text('Subset of the service.'),
  name: named('cluster'),
});

export const WaypointMatchSchema = message('What in a waypoint is meant.', {
  portNumber: boundPort('Port of the service.'),
  route: message('Which routes are meant.', { name: named('route') }),
  filter: FilterMatchSchema,
});

export const EnvoyConfigObjectMatchSchema = message(
  'Where the patch applies.',
  {
    context: choice(['ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY', 'WAYPOINT'], 'What kind of config.', {
      fallback: 'ANY',
    }),
    proxy: message('Which proxies are meant.', {
      proxyVersion: text('RE2 expression for the Istio version of the proxy.'),
      metadata: textMap('Metadata that the proxy has.'),
    }),
    listener: ListenerMatchSchema,
    routeConfiguration: RouteConfigurationMatchSchema,
    cluster: ClusterMatchSchema,
    waypoint: WaypointMatchSchema,
  },
  {
    oneofs: [['listener', 'routeConfiguration', 'cluster', 'waypoint']],
    rules: [
      {
        rule: "(has(self.context) && self.context == 'WAYPOINT') == has(self.waypoint)",
        message: 'only support waypointMatch when context is WAYPOINT',
      },
    ],
  },
);

export const PatchSchema = message('What is changed.', {
  operation: choice(
    [
      'INVALID',
      'MERGE',
      'ADD',
      'REMOVE',
      'INSERT_BEFORE',
      'INSERT_AFTER',
      'INSERT_FIRST',
      'REPLACE',
      'MERGE_AND_REPLACE_LIST',
    ],
    'How it is changed.',
  ),
  value: struct("Envoy's message in JSON, to merge or insert."),
  filterClass: choice(['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS'], 'Group of filters that an inserted filter goes to.'),
});

export const EnvoyConfigObjectPatchSchema = message('One change.', {
  applyTo: choice(
    [
      'INVALID',
      'LISTENER',
      'FILTER_CHAIN',
      'NETWORK_FILTER',
      'HTTP_FILTER',
      'ROUTE_CONFIGURATION',
      'VIRTUAL_HOST',
      'HTTP_ROUTE',
      'CLUSTER',
      'EXTENSION_CONFIG',
      'BOOTSTRAP',
      'LISTENER_FILTER',
    ],
    'What sort of object is changed.',
  ),
  match: EnvoyConfigObjectMatchSchema,
  patch: PatchSchema,
});

export const EnvoyFilterSchema = message(
  'Changes to the config that Envoys get, for what no other kind can say.',
  {
    workloadSelector: WorkloadSelectorSchema,
    targetRefs,
    configPatches: list(EnvoyConfigObjectPatchSchema, 'Changes, applied in order.'),
    priority: integer('Order among EnvoyFilters, the lowest first; negative ones come before those of the mesh.', {
      fallback: '0',
    }),
  },
  { rules: [atMostOne('only one of targetRefs or workloadSelector can be set', 'workloadSelector', 'targetRefs')] },
);

export type EnvoyConfigObjectMatch = Of<typeof EnvoyConfigObjectMatchSchema>;
export type EnvoyConfigObjectPatch = Of<typeof EnvoyConfigObjectPatchSchema>;
export type EnvoyFilterSpec = Of<typeof EnvoyFilterSchema>;
export type EnvoyFilter = ConfigObject<EnvoyFilterSpec> & {
  readonly kind: 'EnvoyFilter';
  readonly spec: EnvoyFilterSpec;
};
