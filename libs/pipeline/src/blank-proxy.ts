import type { Proxy, Workload } from '@seine/model';

const nowhere = Object.freeze({ region: '', zone: '', subzone: '' });

/** A proxy of which nothing is said: a sidecar in iptables mode, to which callers add what they know. */
export const blankProxy: Proxy = Object.freeze({
  id: '',
  type: 'sidecar',
  name: '',
  namespace: '',
  ipAddresses: [],
  dnsDomain: '',
  labels: {},
  workloadName: '',
  serviceAccount: '',
  locality: nowhere,
  network: '',
  clusterId: '',
  interceptionMode: 'REDIRECT',
  envoyVersion: '',
  proxyless: false,
  httpProxyPort: 0,
  appPorts: new Map(),
  outboundCidr: '',
  workloadCertificates: false,
  dnsCapture: false,
});

/** A workload of which nothing is said. */
export const blankWorkload: Workload = Object.freeze({
  name: '',
  namespace: '',
  ownerName: '',
  addresses: [],
  labels: {},
  serviceAccount: '',
  locality: nowhere,
  network: '',
  inbound: [],
});
