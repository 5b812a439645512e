import { create } from '@bufbuild/protobuf';
import { durationOf, toAny } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import { RateLimitSchema } from '@seine/envoy/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js';
import {
  type HttpFilter,
  HttpFilterSchema,
} from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { GlobalLimit, RateLimit } from '@seine/istio';
import { fullyQualify, type MeshConfig } from '@seine/model';
import { outboundClusterName } from '../../frame/cluster-names.js';
import { mixerService } from '../../telemetry/mixer-service.js';
import { istioMilliseconds } from '../connection-pool/istio-duration.js';
import { constantEntry, descriptorEntries } from './descriptors.js';
import { refusalOf, refusalStatus } from './refusal.js';

/** The domain of limits that name none: in it a limit is found by its own name. */
const ownDomain = 'policy.seine.dev';
const defaultTimeout = 100;
const algorithms = { FIXED_WINDOW: '', SLIDING_WINDOW: ';a=sliding', TOKEN_BUCKET: ';a=bucket' } as const;

/** A filter for each limit over all proxies: Envoy asks the rate limit service before it lets a request through. */
export function emitGlobalRateLimits(rateLimit: RateLimit, config: MeshConfig): HttpFilter[] {
  const { metadata, spec } = rateLimit;
  const cluster = serviceCluster(rateLimit, config);
  return (spec.global ?? []).map((limit, i) => {
    const name = `${metadata.namespace}/${metadata.name}/${i}`;
    return create(HttpFilterSchema, {
      name: `envoy.filters.http.ratelimit.${metadata.namespace}.${metadata.name}.${i}`,
      configType: {
        case: 'typedConfig',
        value: toAny(RateLimitSchema, {
          domain: limit.domain ?? ownDomain,
          timeout: durationOf(limit.timeout === undefined ? defaultTimeout : istioMilliseconds(limit.timeout)),
          failureModeDeny: !limit.failOpen,
          rateLimitedStatus: refusalStatus(limit),
          ...refusalOf(limit),
          ...(limit.mode === 'COUNT_ONLY' && { filterEnforced: { defaultValue: { numerator: 0 } } }),
          statPrefix: `${metadata.namespace}.${metadata.name}.${i}`,
          rateLimitService: {
            transportApiVersion: ApiVersion.V3,
            grpcService: {
              targetSpecifier: { case: 'envoyGrpc', value: { clusterName: cluster.name, authority: cluster.host } },
              initialMetadata: [{ key: 'ratelimit-policy', value: policyHeader(name, limit) }],
            },
          },
          rateLimits: [{ actions: entriesOf(name, limit).map(({ action }) => action) }],
        }),
      },
    });
  });
}

/** The cluster of the service, and its host, as cluster names are no authority that servers take; mixer where none is named. */
function serviceCluster({ metadata, spec }: RateLimit, config: MeshConfig): { name: string; host: string } {
  if (!spec.service) {
    const { host, cluster } = mixerService(config);
    return { name: cluster, host };
  }
  const host = fullyQualify(spec.service.host, metadata.namespace, config.clusterDomain);
  return { name: outboundClusterName(spec.service.port, undefined, host), host };
}

/**
 * The limit itself, so that a service needs no configuration of its own: `"default/api/0";q=2;w=5`, in the form of the
 * RateLimit-Policy header (draft-ietf-httpapi-ratelimit-headers); the window in seconds, the algorithm where it is not
 * the usual one, `exact` where it was asked for, `local` for `localFallback`.
 */
function policyHeader(name: string, limit: GlobalLimit): string {
  const { requests, per, algorithm = 'FIXED_WINDOW', exact, localFallback } = limit;
  const flags = `${exact ? ';exact' : ''}${localFallback ? ';local' : ''}`;
  return `"${name}";q=${requests};w=${istioMilliseconds(per) / 1000}${algorithms[algorithm]}${flags}`;
}

/** In a domain of the user's the service gets what the user wrote, and nothing else: it has rules for just that. */
function entriesOf(name: string, limit: GlobalLimit) {
  if (limit.domain === undefined)
    return [constantEntry('rate_limit', name, limit.match), ...descriptorEntries(limit.descriptors)];
  const { match, descriptors = [] } = limit;
  // The constant that the match is tied to; validation sees to it that there is one.
  const tied = match ? descriptors.findIndex(({ genericKey }) => genericKey !== undefined) : -1;
  return descriptors.flatMap((descriptor, i) =>
    i === tied
      ? [constantEntry(descriptor.key ?? 'generic_key', descriptor.genericKey ?? '', match)]
      : descriptorEntries([descriptor]),
  );
}
