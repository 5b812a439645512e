import { internByKey } from '@seine/memo';
import type { Proxy } from '@seine/model';

/** What outbound resources may read of a client: few kinds for many proxies. Equal kinds are one object. */
export interface ClientKind {
  readonly proxyType: Proxy['type'];
  /** A gRPC library that speaks xDS itself: other listeners, and only what it understands in clusters. */
  readonly proxyless: boolean;
  /** Explicit proxying (INTERCEPTION_MODE NONE): connections have no original destination. */
  readonly withoutOriginalDestination: boolean;
  /** An agent beside the proxy serves its own certificate. */
  readonly workloadCertificates: boolean;
}

const intern = internByKey<ClientKind>(16);

type Kinds = Pick<Proxy, 'type' | 'proxyless' | 'interceptionMode' | 'workloadCertificates'>;

export function clientKind(proxy: Kinds): ClientKind {
  const withoutOriginalDestination = proxy.proxyless || proxy.interceptionMode === 'NONE';
  const { type: proxyType, proxyless, workloadCertificates } = proxy;
  return intern(`${proxyType}/${proxyless}/${withoutOriginalDestination}/${workloadCertificates}`, () =>
    Object.freeze({ proxyType, proxyless, withoutOriginalDestination, workloadCertificates }),
  );
}
