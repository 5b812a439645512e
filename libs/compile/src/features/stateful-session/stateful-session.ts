import type { Any } from '@bufbuild/protobuf/wkt';
import { toAny } from '@seine/envoy';
import { HealthStatus } from '@seine/envoy/envoy/config/core/v3/health_check_pb.js';
import {
  StatefulSessionPerRouteSchema,
  StatefulSessionSchema,
} from '@seine/envoy/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js';
import { CookieBasedSessionStateSchema } from '@seine/envoy/envoy/extensions/http/stateful_session/cookie/v3/cookie_pb.js';
import { HeaderBasedSessionStateSchema } from '@seine/envoy/envoy/extensions/http/stateful_session/header/v3/header_pb.js';
import type { MeshService, PersistentSession } from '@seine/model';

/** The HTTP filter whose per-route configuration `emitSessionRoute` is. */
export const statefulSessionFilter = 'envoy.filters.http.stateful_session';

/** Whether some service that a client sees keeps sessions: only then its connection managers have the filter. */
export function keepsSessions(services: Iterable<MeshService>): boolean {
  for (const { persistentSession } of services) if (persistentSession) return true;
  return false;
}

/** Idle until a route says where a session's endpoint is written. */
export function emitStatefulSessionFilter(): Any {
  return toAny(StatefulSessionSchema, {});
}

/**
 * What keeps the requests of one client on the endpoint that answered the first: Envoy writes its address into a cookie
 * or a header. As long as the endpoint is there and healthy requests go to it, whatever the load balancer would say; of
 * several destinations the first that keeps sessions decides.
 */
export function emitSessionRoute(services: readonly (MeshService | undefined)[]): Any | undefined {
  const session = services.find((service) => service?.persistentSession)?.persistentSession;
  if (!session) return undefined;
  return toAny(StatefulSessionPerRouteSchema, {
    override: { case: 'statefulSession', value: { sessionState: sessionState(session) } },
  });
}

const sessionStatus = [HealthStatus.UNKNOWN, HealthStatus.HEALTHY, HealthStatus.DRAINING, HealthStatus.DEGRADED];

/** Sessions stay at an endpoint that is shutting down but still serves; new ones begin elsewhere. */
export function emitSessionHosts({ persistentSession }: MeshService) {
  return persistentSession && { overrideHostStatus: { statuses: sessionStatus } };
}

function sessionState(session: PersistentSession): { readonly name: string; readonly typedConfig: Any } {
  if ('header' in session)
    return {
      name: 'envoy.http.stateful_session.header',
      typedConfig: toAny(HeaderBasedSessionStateSchema, { name: session.header }),
    };
  const { name, path } = session.cookie;
  return {
    name: 'envoy.http.stateful_session.cookie',
    // Without a time to live: the cookie goes with the browser's session.
    typedConfig: toAny(CookieBasedSessionStateSchema, { cookie: { name, path } }),
  };
}
