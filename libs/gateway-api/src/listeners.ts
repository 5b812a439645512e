import type { gatewayApi, Server } from '@seine/istio';
import { type RouteKind, serverHosts, supportedKinds } from './allowed-routes.js';
import { type Condition, type Problem, setConditions, type Verdict } from './condition.js';
import type { Context } from './context.js';
import { eastWestController, meshController } from './gateway-classes.js';
import type { Gateway, ListenerSet } from './input.js';
import type { ConflictReason } from './listener-conflicts.js';
import { gatewayKind, listenerSetKind } from './references.js';
import { serverTls } from './server-tls.js';

/** Status of one listener. */
export interface ListenerStatus {
  readonly name: string;
  readonly attachedRoutes: number;
  readonly supportedKinds: readonly RouteKind[];
  readonly conditions: readonly Condition[];
}

/** One listener with what stands around it. */
export interface ListenerPlace {
  readonly owner: Gateway | ListenerSet;
  /** The owner itself, or what it adds to. */
  readonly gateway: Gateway;
  readonly listener: gatewayApi.Listener;
  readonly controllerName: string;
  /** A port that does not follow from the protocol. */
  readonly withoutPort?: boolean;
}

export interface BuiltListener {
  /** Undefined where no server can be made. */
  readonly server: Server | undefined;
  /** Whether it is programmed: others are shown in the status only. */
  readonly valid: boolean;
  readonly status: ListenerStatus;
}

const protocols: ReadonlySet<string> = new Set(['HTTP', 'HTTPS', 'TLS', 'TCP', 'HBONE']);

function protocolProblem({ listener: { protocol }, controllerName, withoutPort }: ListenerPlace): Problem | undefined {
  const problem = (message: string): Problem => ({ reason: 'UnsupportedProtocol', message });
  if (withoutPort) return problem(`protocol ${protocol} requires a port to be set`);
  const overHbone = controllerName === meshController || controllerName === eastWestController;
  if (protocol === 'HBONE' && !overHbone)
    return problem(`protocol "${protocol}" is only supported for waypoint proxies`);
  if (protocols.has(protocol)) return undefined;
  const upper = protocol.toUpperCase();
  const hint = protocols.has(upper) ? `. hint: "${upper}" (uppercase) may be supported` : '';
  return problem(`protocol "${protocol}" is unsupported${hint}`);
}

/** What a listener of ambient mode must be like; a different one is reported, and served all the same. */
function ambientProblem({ listener, controllerName }: ListenerPlace): Problem | undefined {
  const { port, protocol, tls } = listener;
  if (controllerName === meshController && (port !== 15008 || protocol !== 'HBONE'))
    return {
      reason: 'UnsupportedProtocol',
      message: 'Expected a single listener on port 15008 with protocol "HBONE"',
    };
  if (controllerName !== eastWestController) return undefined;
  const right =
    port === 15008
      ? protocol === 'HBONE' && tls?.mode === 'Terminate'
      : protocol === 'TLS' && tls?.mode === 'Passthrough';
  if (right) return undefined;
  return {
    reason: 'UnsupportedProtocol',
    message:
      'East-west gateway listeners must be either port 15008 with protocol "HBONE" and TLS.Mode == Terminate, or TLS with TLS.Mode == Passthrough',
  };
}

const badTls: Problem = { reason: 'Invalid', message: 'Bad TLS configuration' };
const caReasons: ReadonlySet<string> = new Set([
  'InvalidCACertificateRef',
  'InvalidCACertificateKind',
  'RefNotPermitted',
]);

function frontendOf({ gateway, listener }: ListenerPlace): gatewayApi.FrontendValidation | undefined {
  const frontend = gateway.spec.tls?.frontend;
  const own = frontend?.perPort?.find(({ port }) => port === listener.port)?.tls ?? frontend?.default;
  return own?.validation ?? listener.tls?.frontendValidation;
}

/** Makes the server of a listener, and the conditions that say how it stands. */
export function buildListener(place: ListenerPlace, context: Context): BuiltListener {
  const { owner, listener } = place;
  const isSet = owner.kind !== 'Gateway';
  const { tls, problem: tlsProblem } = serverTls(
    {
      ownerKind: isSet ? listenerSetKind : gatewayKind,
      owner,
      tls: listener.tls,
      port: listener.port,
      frontend: frontendOf(place),
    },
    context,
  );
  const problems: { accepted?: Problem; programmed?: Problem; resolved?: Problem } = {};
  if (tlsProblem) {
    Object.assign(problems, { resolved: tlsProblem, programmed: badTls });
    if (caReasons.has(tlsProblem.reason))
      problems.accepted = { reason: 'NoValidCACertificate', message: tlsProblem.message };
  }
  const protocol = protocolProblem(place);
  const accepted = ambientProblem(place) ?? protocol;
  if (accepted) problems.accepted = accepted;
  const lacksTls = !tls && (listener.protocol === 'HTTPS' || listener.protocol === 'TLS');
  if (lacksTls && isSet) {
    problems.accepted = {
      reason: 'UnsupportedProtocol',
      message: `protocol is ${listener.protocol} but no TLS section is defined`,
    };
    problems.programmed = badTls;
  }
  const server: Server = {
    port: { number: listener.port, name: 'default', protocol: listener.protocol },
    hosts: serverHosts(listener, owner.metadata.namespace, context),
    ...(tls && { tls }),
  };
  return {
    server: lacksTls ? undefined : server,
    valid: !tlsProblem && !protocol && !(lacksTls && isSet),
    status: listenerStatus(place, verdictsOf(problems), context),
  };
}

function verdictsOf(problems: {
  readonly accepted?: Problem;
  readonly programmed?: Problem;
  readonly resolved?: Problem;
}): Record<string, Verdict> {
  const verdict = (reason: string, problem: Problem | undefined): Verdict => ({
    reason,
    message: 'No errors found',
    problem,
  });
  return {
    Accepted: verdict('Accepted', problems.accepted),
    Programmed: verdict('Programmed', problems.programmed),
    Conflicted: { reason: 'NoConflicts', message: 'No errors found', status: 'False' },
    ResolvedRefs: verdict('ResolvedRefs', problems.resolved),
  };
}

const conflictMessage = 'Listener has a conflict with another listener attached to the same Gateway';

/** The status of a listener that another one keeps out. */
export function conflictedStatus(place: ListenerPlace, reason: ConflictReason, context: Context): ListenerStatus {
  const problem = { reason, message: conflictMessage };
  const refused = { ...problem, problem };
  return listenerStatus(
    place,
    { Accepted: refused, Programmed: refused, Conflicted: { ...problem, status: 'True' } },
    context,
  );
}

function listenerStatus(
  { owner, listener }: ListenerPlace,
  verdicts: Record<string, Verdict>,
  { options }: Context,
): ListenerStatus {
  const { kinds, valid } = supportedKinds(listener);
  const all = valid
    ? verdicts
    : {
        ...verdicts,
        ResolvedRefs: { reason: 'InvalidRouteKinds', message: 'Invalid route kinds', status: 'False' as const },
      };
  const known = owner['status'] as { readonly listeners?: readonly ListenerStatus[] } | undefined;
  const before = known?.listeners?.find(({ name }) => name === listener.name);
  return {
    name: listener.name,
    attachedRoutes: 0,
    supportedKinds: kinds,
    conditions: setConditions(before?.conditions, all, {
      generation: owner.metadata.generation,
      now: options.now,
    }),
  };
}
