import type { EnvoyOptions } from './envoy.js';

type Node = EnvoyOptions['node'];
type Labels = Readonly<Record<string, string>>;

/** The HTTP proxy of each sidecar, by which its application calls others. */
export const httpProxyPort = 15_007;

/** A pod, and whose service account it has. */
export interface Place {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly serviceAccount: string;
}

/** What a sidecar says of itself. @param appPorts where the application listens on 127.0.0.1, by inbound port */
export function sidecarNode(place: Place, labels: Labels, appPorts: ReadonlyMap<number, number>): Node {
  const { name, namespace, address, serviceAccount } = place;
  return {
    type: 'sidecar',
    name,
    namespace,
    ipAddresses: [address],
    labels,
    workloadName: name,
    serviceAccount,
    interceptionMode: 'NONE',
    httpProxyPort,
    appPorts,
    outboundCidr: `${address.slice(0, -1)}0/24`,
  };
}

export function gatewayNode({ name, namespace, address, serviceAccount }: Place, labels: Labels): Node {
  return {
    type: 'router',
    name,
    namespace,
    ipAddresses: [address],
    labels,
    serviceAccount,
    interceptionMode: 'NONE',
  };
}
