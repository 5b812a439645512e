import type { DescMessage, Message } from '@bufbuild/protobuf';
import { BootstrapSchema } from '@seine/envoy/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { TypedExtensionConfigSchema } from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  FilterChainSchema,
  FilterSchema,
  ListenerFilterSchema,
} from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { RouteSchema, VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { HttpFilterSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, EnvoyFilter } from '@seine/istio';
import { readPatchValue } from './patch-value.js';

export type ApplyTo = Exclude<NonNullable<EnvoyConfigObjectPatch['applyTo']>, 'INVALID'>;
export type Operation = NonNullable<NonNullable<EnvoyConfigObjectPatch['patch']>['operation']>;
export type FilterClass = 'AUTHN' | 'AUTHZ' | 'STATS';
/** Which part of a proxy's config something is (Istio: PatchContext). */
export type PatchContext = 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND' | 'GATEWAY';

/** What the value of a patch is read as. */
export const patchSchemas = {
  LISTENER: ListenerSchema,
  FILTER_CHAIN: FilterChainSchema,
  NETWORK_FILTER: FilterSchema,
  HTTP_FILTER: HttpFilterSchema,
  ROUTE_CONFIGURATION: RouteConfigurationSchema,
  VIRTUAL_HOST: VirtualHostSchema,
  HTTP_ROUTE: RouteSchema,
  CLUSTER: ClusterSchema,
  EXTENSION_CONFIG: TypedExtensionConfigSchema,
  BOOTSTRAP: BootstrapSchema,
  LISTENER_FILTER: ListenerFilterSchema,
} as const satisfies Record<ApplyTo, DescMessage>;

/** One patch of an EnvoyFilter, read. */
export interface EnvoyPatch {
  readonly filter: EnvoyFilter;
  /** Index into `spec.configPatches`. */
  readonly index: number;
  readonly applyTo: ApplyTo;
  readonly operation: Operation;
  readonly match: EnvoyConfigObjectMatch;
  readonly filterClass: FilterClass | undefined;
  /** Of the message that `applyTo` names. Never changed: whoever adds it adds a copy. Undefined for REMOVE. */
  readonly value: Message | undefined;
}

const positional: ReadonlySet<ApplyTo> = new Set(['HTTP_FILTER', 'NETWORK_FILTER', 'HTTP_ROUTE', 'LISTENER_FILTER']);

function readPatch(
  filter: EnvoyFilter,
  { applyTo, match = {}, patch }: EnvoyConfigObjectPatch,
  index: number,
): readonly EnvoyPatch[] {
  const operation = patch?.operation;
  if (!applyTo || applyTo === 'INVALID' || !operation || operation === 'INVALID') return [];
  if (match.context === 'WAYPOINT') return [];
  const removes = operation === 'REMOVE';
  const value = removes ? undefined : readPatchValue(patchSchemas[applyTo], patch.value);
  if (!removes && !value) return [];
  const { filterClass } = patch;
  const inserts = operation.startsWith('INSERT_') && !positional.has(applyTo);
  return [
    Object.freeze({
      filter,
      index,
      applyTo,
      // Where there is no order to insert into, it is an addition (Istio: convertToEnvoyFilterWrapper).
      operation: inserts ? 'ADD' : operation,
      match,
      filterClass: filterClass === 'UNSPECIFIED' ? undefined : filterClass,
      value,
    }),
  ];
}

/** The patches of an EnvoyFilter that Envoy could take, in order. */
export function readPatches(filter: EnvoyFilter): readonly EnvoyPatch[] {
  return Object.freeze((filter.spec.configPatches ?? []).flatMap((patch, i) => readPatch(filter, patch, i)));
}

/** The patches of one proxy, in the order in which they apply, by what they apply to. */
export type PatchSet = ReadonlyMap<ApplyTo, readonly EnvoyPatch[]>;

export function groupPatches(patches: readonly EnvoyPatch[]): PatchSet {
  const groups = new Map<ApplyTo, EnvoyPatch[]>();
  for (const patch of patches) {
    const group = groups.get(patch.applyTo);
    if (group) group.push(patch);
    else groups.set(patch.applyTo, [patch]);
  }
  return groups;
}

/** What patches are applied to, and by what they match beside it. */
export interface PatchTarget {
  readonly context: PatchContext;
  /** interceptionMode NONE: what has a port of its own elsewhere is a virtual host of one route configuration here. */
  readonly explicit: boolean;
  /** Of a gateway: the ports of its Services by the port that the gateway binds. */
  readonly servicePorts: ReadonlyMap<number, readonly number[]>;
}

/** Is told of a patch that was to be applied and cannot be. */
export type Refuse = (patch: EnvoyPatch, why: string) => void;

export interface PatchInput extends PatchTarget {
  readonly patches: PatchSet;
  readonly refuse: Refuse;
}

const none: readonly EnvoyPatch[] = Object.freeze([]);

/** The patches for one sort of thing that are for this part of the config. */
export function patchesFor({ patches, context }: PatchInput, applyTo: ApplyTo): readonly EnvoyPatch[] {
  const group = patches.get(applyTo);
  if (!group) return none;
  return group.filter(
    ({ match }) => match.context === undefined || match.context === 'ANY' || match.context === context,
  );
}

export function isMerge(operation: Operation): boolean {
  return operation === 'MERGE' || operation === 'MERGE_AND_REPLACE_LIST';
}
