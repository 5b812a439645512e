import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { seededRandom } from '@seine/testing';
import { aKubernetesService, anIstioObject, aPod } from './config-objects.js';

const namespaces = ['one', 'two', 'three'];
const names = ['a', 'b', 'c', 'd'];
const hosts = ['a', 'b', 'c.one.svc.cluster.local', 'd.two.svc.cluster.local', 'x.example.com', '*.example.com', '*'];
const ports = [
  { name: 'http', port: 80 },
  { name: 'http-web', port: 9080, targetPort: 8080 },
  { name: 'grpc', port: 7070 },
  { name: 'tcp-db', port: 5432 },
  { name: 'tls', port: 443 },
  { name: 'anything', port: 8000 },
];

export type RandomChange = { readonly put: ConfigObject } | { readonly removed: ObjectKey };

/** Random config, valid but not sensible: hosts that several claim, destinations that are not there. The same for the same seed. */
export class RandomConfig {
  readonly #random: () => number;
  readonly #present = new Map<ObjectKey, ConfigObject>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** One change: an object put, or the key of one removed. */
  edit(): RandomChange {
    const keys = [...this.#present.keys()];
    if (keys.length > 5 && this.#chance(0.25)) {
      const removed = this.#pick(keys);
      this.#present.delete(removed);
      return { removed };
    }
    const put = this.#pick([
      () => this.#service(),
      () => this.#service(),
      () => this.#pod(),
      () => this.#pod(),
      () => this.#serviceEntry(),
      () => this.#virtualService(),
      () => this.#virtualService(),
      () => this.#delegate(),
      () => this.#destinationRule(),
      () => this.#gateway(),
      () => this.#sidecar(),
      () => this.#peerAuthentication(),
    ])();
    this.#present.set(objectKey(put), put);
    return { put };
  }

  /** A whole config of so many edits. */
  config(edits: number): readonly ConfigObject[] {
    for (let i = 0; i < edits; i++) this.edit();
    return [...this.#present.values()];
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
  #chance(share: number): boolean {
    return this.#random() < share;
  }
  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }
  #some<T>(items: readonly T[]): T[] {
    const some = items.filter(() => this.#chance(0.4));
    return some.length > 0 ? some : [this.#pick(items)];
  }

  #named(more: readonly string[] = names) {
    const created = this.#chance(0.5) && { creationTimestamp: `2026-01-0${1 + this.#below(5)}T00:00:00Z` };
    return { name: this.#pick(more), namespace: this.#pick(namespaces), ...created };
  }

  #exportTo() {
    return this.#chance(0.3) ? { exportTo: this.#pick([['.'], ['*'], ['one'], ['one', 'two']]) } : {};
  }

  #service(): ConfigObject {
    const clusterIP = this.#pick(['None', `10.96.0.${1 + this.#below(6)}`, `10.96.1.${1 + this.#below(200)}`]);
    const annotations = this.#chance(0.2) && {
      annotations: { 'networking.istio.io/exportTo': this.#pick(['.', '*']) },
    };
    return aKubernetesService({ ...this.#named(), ...annotations, clusterIP, ports: this.#some(ports) });
  }

  #pod(): ConfigObject {
    const labels = {
      app: this.#pick(names),
      version: this.#pick(['v1', 'v2']),
      'topology.kubernetes.io/region': this.#pick(['eu', 'us']),
      ...(this.#chance(0.1) && { istio: 'ingressgateway' }),
      ...(this.#chance(0.5) && { 'security.istio.io/tlsMode': 'istio' }),
    };
    return aPod({ ...this.#named(['p1', 'p2', 'p3', 'p4', 'p5']), labels, ip: `10.1.0.${1 + this.#below(30)}` });
  }

  #peerAuthentication(): ConfigObject {
    const mode = () => ({ mode: this.#pick(['STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET']) });
    const matchLabels = this.#pick([undefined, { app: this.#pick(names) }, { version: 'v1' }]);
    const spec = {
      ...(matchLabels && { selector: { matchLabels } }),
      ...(this.#chance(0.8) && { mtls: mode() }),
      ...(matchLabels && this.#chance(0.5) && { portLevelMtls: { [this.#pick([80, 8080, 5432, 9999])]: mode() } }),
    };
    const object = anIstioObject('PeerAuthentication', this.#named(['default', 'own']), spec);
    return { ...object, apiVersion: 'security.istio.io/v1' };
  }

  #serviceEntry(): ConfigObject {
    const resolution = this.#pick(['STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'NONE']);
    const endpoints = this.#chance(0.7) && resolution !== 'NONE' ? [{ address: `192.0.2.${1 + this.#below(9)}` }] : [];
    return anIstioObject('ServiceEntry', this.#named(), {
      hosts: this.#some(hosts.filter((host) => host.length > 1)),
      addresses: this.#chance(0.3) ? [`10.96.0.${1 + this.#below(6)}`] : [],
      ports: this.#some([
        { number: 80, name: 'http', protocol: 'HTTP' },
        { number: 443, name: 'tls', protocol: 'TLS' },
        { number: 5432, name: 'tcp', protocol: 'TCP' },
      ]),
      location: this.#pick(['MESH_EXTERNAL', 'MESH_INTERNAL']),
      resolution,
      endpoints,
      ...this.#exportTo(),
    });
  }

  #destination() {
    const subset = this.#chance(0.4) && { subset: this.#pick(['v1', 'v2', 'v9']) };
    const port = this.#chance(0.4) && { port: { number: this.#pick([80, 9080, 5432]) } };
    return { host: this.#pick(hosts.filter((host) => !host.startsWith('*'))), ...subset, ...port };
  }

  #httpRoute() {
    const match = this.#pick([
      undefined,
      [{ uri: { prefix: this.#pick(['/x', '/x/y']) } }],
      [{ sourceLabels: { version: this.#pick(['v1', 'v2']) } }],
      [{ sourceNamespace: this.#pick(namespaces) }, { uri: { exact: '/only' } }],
      [{ port: 9080, headers: { 'end-user': { exact: 'jason' } } }],
    ]);
    const route = this.#chance(0.3)
      ? [
          { destination: this.#destination(), weight: 30 },
          { destination: this.#destination(), weight: 70 },
        ]
      : [{ destination: this.#destination() }];
    if (this.#chance(0.1)) return { match, delegate: { name: 'part', namespace: this.#pick(namespaces) } };
    return { match, route, ...(this.#chance(0.2) && { timeout: `${1 + this.#below(9)}s` }) };
  }

  #virtualService(): ConfigObject {
    const gateways = this.#pick([undefined, undefined, ['mesh'], ['one/a', 'mesh'], ['one/a', 'two/b']]);
    const tcp = { match: [{ port: 5432 }], route: [{ destination: this.#destination() }] };
    const tls = { match: [{ port: 443, sniHosts: ['x.example.com'] }], route: [{ destination: this.#destination() }] };
    return anIstioObject('VirtualService', this.#named(), {
      hosts: this.#some(hosts.filter((host) => host !== '*' || gateways?.includes('two/b'))),
      gateways,
      http: Array.from({ length: 1 + this.#below(3) }, () => this.#httpRoute()),
      ...(this.#chance(0.2) && { tcp: [tcp] }),
      ...(this.#chance(0.2) && { tls: [tls] }),
      ...this.#exportTo(),
    });
  }

  #delegate(): ConfigObject {
    const route = { match: [{ uri: { prefix: '/x/y/z' } }], route: [{ destination: this.#destination() }] };
    return anIstioObject('VirtualService', this.#named(['part']), { http: [route], ...this.#exportTo() });
  }

  #destinationRule(): ConfigObject {
    const locality = {
      outlierDetection: {},
      loadBalancer: { localityLbSetting: { failover: [{ from: 'eu', to: 'us' }] } },
    };
    const subsets = this.#some(['v1', 'v2']).map((version) => ({ name: version, labels: { version } }));
    return anIstioObject('DestinationRule', this.#named(), {
      host: this.#pick(hosts),
      subsets,
      trafficPolicy: this.#pick([
        undefined,
        locality,
        { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } },
        { connectionPool: { tcp: { maxConnections: 1 + this.#below(9) } } },
        { tls: { mode: 'SIMPLE' } },
        { tls: { mode: 'ISTIO_MUTUAL' } },
      ]),
      ...(this.#chance(0.2) && { workloadSelector: { matchLabels: { version: 'v1' } } }),
      ...this.#exportTo(),
    });
  }

  #egressHosts() {
    const own = ['./*', 'one/*', 'two/a.two.svc.cluster.local', '*/x.example.com', '*/*.example.com', '~/*', '*/*'];
    return { hosts: [...new Set(this.#some(own))] };
  }

  #egress() {
    const protocol = this.#pick([undefined, 'HTTP', 'TCP', 'TLS']);
    const bound = this.#pick([{}, {}, { bind: '127.0.0.1', captureMode: 'NONE' }, { bind: '10.96.0.3' }]);
    const ported = this.#some([80, 443, 5432, 8000]).map((number) => ({
      port: { number, name: 'p', ...(protocol && { protocol }) },
      ...bound,
      ...this.#egressHosts(),
    }));
    const socket = { port: { number: 0, protocol: 'HTTP', name: 's' }, bind: 'unix:///tmp/s', ...this.#egressHosts() };
    return [
      ...(this.#chance(0.4) ? ported : []),
      ...(this.#chance(0.1) ? [socket] : []),
      ...(this.#chance(0.8) ? [this.#egressHosts()] : []),
    ];
  }

  #ingress() {
    return this.#some([80, 8080, 9080]).map((number) => ({
      port: { number, name: 'p', protocol: this.#pick(['HTTP', 'TCP', 'GRPC']) },
      ...this.#pick([{}, { captureMode: 'NONE' }, { bind: '127.0.0.1', captureMode: 'NONE' }]),
      ...this.#pick([{}, { defaultEndpoint: '127.0.0.1:18080' }, { defaultEndpoint: 'unix:///tmp/app' }]),
    }));
  }

  #sidecar(): ConfigObject {
    const named = this.#named(['a', 'b']);
    const namespace = this.#chance(0.1) ? 'istio-system' : named.namespace;
    const policy = this.#pick([undefined, { mode: 'REGISTRY_ONLY' }, { egressProxy: { host: 'a' } }]);
    return anIstioObject(
      'Sidecar',
      { ...named, namespace },
      {
        ...(this.#chance(0.4) && { workloadSelector: { labels: { version: this.#pick(['v1', 'v2']) } } }),
        egress: this.#chance(0.8) ? this.#egress() : undefined,
        ingress: this.#chance(0.3) ? this.#ingress() : undefined,
        outboundTrafficPolicy: policy,
      },
    );
  }

  #gateway(): ConfigObject {
    const servers = [
      {
        port: { number: 80, name: 'http', protocol: 'HTTP' },
        hosts: this.#some(['*', 'x.example.com', '*.example.com']),
      },
      { port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' }, hosts: ['x.example.com'] },
      { port: { number: 5432, name: 'tcp', protocol: 'TCP' }, hosts: ['*'] },
    ];
    const spec = { selector: { istio: 'ingressgateway' }, servers: this.#some(servers) };
    return anIstioObject('Gateway', this.#named(['a', 'b']), spec);
  }
}
