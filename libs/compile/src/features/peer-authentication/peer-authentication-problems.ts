import { type Diagnostic, formatObjectRef, type ObjectRef } from '@seine/diagnostics';
import type { PeerAuthentication } from '@seine/istio';
import type { Proxy } from '@seine/model';
import { mtlsModeOf, resolvePeerAuthentication, rivalsOf, selectPeerAuthentication } from './peer-authentication.js';

const code = 'SEINE-PEER-AUTHENTICATION';

function refOf({ kind, metadata }: PeerAuthentication): ObjectRef {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

/**
 * What of the PeerAuthentications of a workload does not hold: policies beside an older one of the same scope, and
 * mutual TLS that is demanded where the proxy has no certificate to show.
 * @param policies all of the mesh, oldest first
 * @param ports those that the workload serves
 */
export function peerAuthenticationProblems(
  policies: readonly PeerAuthentication[],
  proxy: Pick<Proxy, 'name' | 'namespace' | 'labels' | 'workloadCertificates'>,
  ports: readonly number[],
  rootNamespace: string,
): readonly Diagnostic[] {
  const selected = selectPeerAuthentication(policies, proxy, rootNamespace);
  const shadowed = selected.flatMap((inForce) =>
    rivalsOf(inForce, policies, proxy).map((policy) => shadowedBy(inForce, policy)),
  );
  const [closest] = selected;
  const modes = resolvePeerAuthentication(selected);
  const strict = [...ports, ...modes.byPort.keys()].filter((port) => mtlsModeOf(modes, port) === 'STRICT');
  const refused =
    closest !== undefined && !proxy.workloadCertificates && (modes.mode === 'STRICT' || strict.length > 0);
  return refused ? [...shadowed, cannotHold(closest, proxy)] : shadowed;
}

function shadowedBy(inForce: PeerAuthentication, policy: PeerAuthentication): Diagnostic {
  const scope = policy.spec.selector ? 'selects a workload that it selects too' : 'is of the same namespace';
  return {
    severity: 'warning',
    code,
    message: `${formatObjectRef(refOf(inForce))} ${scope} and is older: it is in force, and this one is not. Make one of both, or let them select different workloads.`,
    object: refOf(policy),
    path: policy.spec.selector ? 'spec.selector' : 'spec',
  };
}

function cannotHold(policy: PeerAuthentication, { namespace, name }: Pick<Proxy, 'namespace' | 'name'>): Diagnostic {
  return {
    severity: 'warning',
    code,
    message: `STRICT is demanded of workload ${namespace}/${name}, whose proxy has no certificate: it takes no connection there. Start an agent beside it, or say PERMISSIVE until there is one.`,
    object: refOf(policy),
    path: 'spec.mtls',
  };
}
