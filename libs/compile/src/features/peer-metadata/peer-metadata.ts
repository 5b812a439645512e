import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import {
  HeaderValueOption_HeaderAppendAction as Action,
  HeaderValueOptionSchema,
} from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import {
  type Config_RuleSchema,
  ConfigSchema,
} from '@seine/envoy/envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { type WorkloadLabels, workloadLetters } from '@seine/model';
import type { ChainContext } from '../../inputs.js';
import { countsTraffic } from '../../telemetry/peer-metadata.js';
import type { HeaderFields } from '../header-operations/emit-header-operations.js';
import type { ResolvedDestination } from '../routing/destination.js';

/**
 * In this header a client's proxy says which workload it stands beside, so that the server's can count by it: Envoy has
 * no such exchange of its own. Who calls is proved by certificate alone; this is what the proved caller says of itself.
 */
const peerHeader = 'x-seine-peer';
/** Its value, as `formatPeer` writes it: `w=reviews-v1;n=default;…` (see `proxyEnvironment` of @seine/bootstrap). */
const peerVariable = 'SEINE_PEER';
const metadataNamespace = 'seine.peer';

const keys = Object.keys(workloadLetters) as (keyof WorkloadLabels)[];
/**
 * The header on a route: said where all destinations are services of the mesh, and taken away where one is not, so that
 * no client of a gateway can say it either.
 */
export function emitPeerHeader(
  destinations: readonly Pick<ResolvedDestination, 'facts'>[],
  fields: Partial<HeaderFields>,
): Partial<HeaderFields> {
  const services = destinations.map(({ facts }) => facts?.service);
  const inMesh = services.length > 0 && services.every((service) => service && !service.external);
  if (!inMesh) return { ...fields, requestHeadersToRemove: [...(fields.requestHeadersToRemove ?? []), peerHeader] };
  const said = create(HeaderValueOptionSchema, {
    header: { key: peerHeader, value: `%ENVIRONMENT(${peerVariable})%` },
    appendAction: Action.OVERWRITE_IF_EXISTS_OR_ADD,
  });
  return { ...fields, requestHeadersToAdd: [...(fields.requestHeadersToAdd ?? []), said] };
}

/** How a chain treats the header of those who come in: within mutual TLS it is believed, else only taken away. */
export type PeerTrust = 'believed' | 'stripped';

/** The first filter of an inbound chain: the header becomes metadata, which no later filter mistakes for the client's. */
export function emitPeerFilter({ peers, config }: ChainContext): HttpFilter[] {
  if (peers === undefined || !countsTraffic(config)) return [];
  const rules = peers === 'believed' ? keys.map((key, i) => readRule(key, i === keys.length - 1)) : [stripRule];
  return [
    create(HttpFilterSchema, {
      name: 'envoy.filters.http.header_to_metadata',
      configType: { case: 'typedConfig', value: toAny(ConfigSchema, { requestRules: rules }) },
    }),
  ];
}

type Rule = MessageInitShape<typeof Config_RuleSchema>;

function readRule(key: keyof WorkloadLabels, last: boolean): Rule {
  // A bound on the value's length would make a program larger than Envoy takes (re2.max_program_size).
  const regex = `^(?:.*;)?${workloadLetters[key]}=([^;]*)(?:;.*)?$`;
  return {
    header: peerHeader,
    onHeaderPresent: { metadataNamespace, key, regexValueRewrite: { pattern: { regex }, substitution: '\\1' } },
    remove: last,
  };
}

const stripRule: Rule = {
  header: peerHeader,
  onHeaderPresent: { metadataNamespace, key: 'unproved' },
  remove: true,
};

/** The log operator that gives what the caller said of itself. */
export function peerLabel(key: keyof WorkloadLabels): string {
  return `%DYNAMIC_METADATA(${metadataNamespace}:${key})%`;
}
