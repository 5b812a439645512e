import type { Filter } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { HttpFilter } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ChainContext } from '../../inputs.js';
import { type Asking, emitAskContext, emitHttpPlan, emitRefusalReplies, emitTcpPlan } from './emit-filters.js';
import type { InboundMixer, PortPlan } from './inbound-plan.js';

type Chain = Pick<ChainContext, 'role' | 'policies' | 'port' | 'config'>;

/** What mixer's rules come to on a chain. */
function planOf({
  role,
  policies: { mixer },
  port,
}: Chain): { readonly plan: PortPlan; readonly asking: Asking } | undefined {
  if (role !== 'inbound' || !mixer) return undefined;
  const plan = (port === undefined ? undefined : mixer.ports.get(port)) ?? mixer.rest;
  return { plan, asking: askingOf(mixer, plan) };
}

function askingOf({ timeoutMs, failOpen, workload }: InboundMixer, { service }: PortPlan): Asking {
  return { timeoutMs, failOpen, workload, service };
}

/** The filters that hold mixer's rules, where Istio's proxies asked Mixer. */
export function emitMixerFilters(chain: Chain): HttpFilter[] {
  const found = planOf(chain);
  return found?.plan.http ? emitHttpPlan(found.plan.http, found.asking, chain.config) : [];
}

/** The same for connections of which no HTTP is known. */
export function emitMixerTcpFilters(chain: Chain): Filter[] {
  const found = planOf(chain);
  return found?.plan.tcp ? emitTcpPlan(found.plan.tcp, found.asking, chain.config) : [];
}

/** The answers to requests that the proxy itself refuses. */
export function emitMixerReplies(chain: Chain) {
  const plan = planOf(chain)?.plan.http;
  const localReplyConfig = plan && emitRefusalReplies(plan);
  return localReplyConfig ? { localReplyConfig } : {};
}

/** What routes have for the filter that asks mixer; undefined = nothing. */
export function emitMixerRoute(chain: Chain): ReturnType<typeof emitAskContext> | undefined {
  const found = planOf(chain);
  return found?.plan.http?.ask === undefined ? undefined : emitAskContext(found.asking);
}
