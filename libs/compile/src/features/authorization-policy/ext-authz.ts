import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationOf } from '@seine/envoy';
import { ApiVersion } from '@seine/envoy/envoy/config/core/v3/config_source_pb.js';
import type {
  AuthorizationResponseSchema,
  ExtAuthzSchema,
  HttpServiceSchema,
} from '@seine/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import type { ExtAuthzSchema as NetworkExtAuthzSchema } from '@seine/envoy/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import type { ListStringMatcherSchema } from '@seine/envoy/envoy/type/matcher/v3/string_pb.js';
import { StatusCode } from '@seine/envoy/envoy/type/v3/http_status_pb.js';
import {
  type EnvoyExtAuthzGrpcProvider,
  type EnvoyExtAuthzHttpProvider,
  type ExtensionProvider,
  parseDuration,
} from '@seine/istio';
import { type ProviderClusters, providerKey } from '../../telemetry/providers.js';
import { matchValue } from './patterns.js';

export type HttpExtAuthzInit = MessageInitShape<typeof ExtAuthzSchema>;
export type NetworkExtAuthzInit = MessageInitShape<typeof NetworkExtAuthzSchema>;

/** Istio's limit where a provider names none. */
const fallbackTimeout = '600s';
/** As Istio has it for HTTP providers, whose check is a request of its own. */
const fallbackStatus = StatusCode.Forbidden;

type Patterns = MessageInitShape<typeof ListStringMatcherSchema>;

function headerPatterns(names: readonly string[] | undefined): Patterns | undefined {
  return names?.length ? { patterns: names.map((name) => ({ ...matchValue(name), ignoreCase: true })) } : undefined;
}

function timeoutOf(provider: { readonly timeout?: string | undefined }) {
  return durationOf(parseDuration(provider.timeout ?? fallbackTimeout) ?? 0);
}

/** @param text a number, as `503` */
function statusOf(text: string | undefined): StatusCode {
  const codes = Object.values(StatusCode) as StatusCode[];
  return codes.find((code) => `${code}` === text && text !== '0') ?? fallbackStatus;
}

/**
 * Asks only for requests that the shadow rules before it found to be meant: the RBAC filter leaves the name of the
 * rule that held in the dynamic metadata.
 * @param policyPrefix what the names of these rules begin with
 */
function onlyMatched(filter: string, statPrefix: string, policyPrefix: string) {
  return {
    filter,
    path: [{ segment: { case: 'key' as const, value: `${statPrefix}shadow_effective_policy_id` } }],
    value: {
      matchPattern: {
        case: 'stringMatch' as const,
        value: { matchPattern: { case: 'prefix' as const, value: policyPrefix } },
      },
    },
  };
}

function bodyOf({ includeRequestBodyInCheck: body }: EnvoyExtAuthzHttpProvider | EnvoyExtAuthzGrpcProvider) {
  if (!body) return {};
  const { maxRequestBytes, allowPartialMessage = false, packAsBytes = false } = body;
  return { withRequestBody: { maxRequestBytes, allowPartialMessage, packAsBytes } };
}

function responseOf(
  provider: EnvoyExtAuthzHttpProvider,
): MessageInitShape<typeof AuthorizationResponseSchema> | undefined {
  const upstream = headerPatterns(provider.headersToUpstreamOnAllow);
  const denied = headerPatterns(provider.headersToDownstreamOnDeny);
  const allowed = headerPatterns(provider.headersToDownstreamOnAllow);
  if (!upstream && !denied && !allowed) return undefined;
  return {
    ...(upstream && { allowedUpstreamHeaders: upstream }),
    ...(denied && { allowedClientHeaders: denied }),
    ...(allowed && { allowedClientHeadersOnSuccess: allowed }),
  };
}

interface Target {
  readonly host: string;
  readonly cluster: string;
}

function httpServiceOf(
  provider: EnvoyExtAuthzHttpProvider,
  { host, cluster }: Target,
): MessageInitShape<typeof HttpServiceSchema> {
  const headers = Object.entries(provider.includeAdditionalHeadersInCheck ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const authorizationResponse = responseOf(provider);
  return {
    serverUri: {
      uri: `http://${host}`,
      httpUpstreamType: { case: 'cluster', value: cluster },
      timeout: timeoutOf(provider),
    },
    pathPrefix: provider.pathPrefix ?? '',
    ...(headers.length > 0 && {
      authorizationRequest: { headersToAdd: headers.map(([key, value]) => ({ key, value })) },
    }),
    ...(authorizationResponse && { authorizationResponse }),
  };
}

function grpcServiceOf(provider: EnvoyExtAuthzGrpcProvider, { host, cluster }: Target) {
  return {
    targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: cluster, authority: host } },
    timeout: timeoutOf(provider),
  };
}

function targetOf(provider: ExtensionProvider, clusters: ProviderClusters | undefined): Target | undefined {
  const service = provider.envoyExtAuthzHttp ?? provider.envoyExtAuthzGrpc;
  const found = service && clusters?.get(providerKey(service));
  return found && { host: found.host, cluster: found.cluster };
}

/** Undefined where the provider's service is not to be found: then nobody may pass. */
export function emitHttpExtAuthz(
  provider: ExtensionProvider,
  clusters: ProviderClusters | undefined,
  statPrefix: string,
  policyPrefix: string,
): HttpExtAuthzInit | undefined {
  const target = targetOf(provider, clusters);
  const service = provider.envoyExtAuthzHttp ?? provider.envoyExtAuthzGrpc;
  if (!target || !service) return undefined;
  const http = provider.envoyExtAuthzHttp;
  const allowedHeaders = headerPatterns(http?.includeRequestHeadersInCheck ?? http?.includeHeadersInCheck);
  return {
    services: http
      ? { case: 'httpService', value: httpServiceOf(http, target) }
      : { case: 'grpcService', value: grpcServiceOf(service, target) },
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: service.failOpen ?? false,
    statusOnError: { code: statusOf(service.statusOnError) },
    filterEnabledMetadata: onlyMatched('envoy.filters.http.rbac', statPrefix, policyPrefix),
    ...(service.clearRouteCache && { clearRouteCache: true }),
    ...(allowedHeaders && { allowedHeaders }),
    ...bodyOf(service),
  };
}

/** For TCP only gRPC services can be asked. Undefined where there is none. */
export function emitNetworkExtAuthz(
  provider: ExtensionProvider,
  clusters: ProviderClusters | undefined,
  statPrefix: string,
  policyPrefix: string,
): NetworkExtAuthzInit | undefined {
  const target = targetOf(provider, clusters);
  const grpc = provider.envoyExtAuthzGrpc;
  if (!target || !grpc) return undefined;
  return {
    statPrefix: 'tcp.',
    grpcService: grpcServiceOf(grpc, target),
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: grpc.failOpen ?? false,
    filterEnabledMetadata: onlyMatched('envoy.filters.network.rbac', statPrefix, policyPrefix),
  };
}
