import { check } from './check-errors.fixture.js';

const policy = (trafficPolicy: object): object => ({ host: 'a', trafficPolicy });
const locality = (localityLbSetting: object): object => policy({ loadBalancer: { localityLbSetting } });
const tls = (settings: object): object => policy({ tls: settings });

check('DestinationRule', [
  ['subsets', { host: '*.a.com', subsets: [{ name: 'v1', labels: { version: 'v1' } }, { name: 'v2' }] }],
  ['a host that is no name', { host: 'a b' }, 'spec.host'],
  ['an empty policy', policy({}), 'spec.trafficPolicy'],
  ['a subset twice', { host: 'a', subsets: [{ name: 'v1' }, { name: 'v1' }] }, 'spec.subsets[1].name'],
  ['a subset without a name', { host: 'a', subsets: [{ name: '' }] }, 'spec.subsets[0].name'],
  [
    'hashing by nothing',
    policy({ loadBalancer: { consistentHash: {} } }),
    'spec.trafficPolicy.loadBalancer.consistentHash',
  ],
  ['hashing by a header', policy({ loadBalancer: { consistentHash: { httpHeaderName: 'version' } } })],
  [
    'two ring sizes',
    policy({ loadBalancer: { consistentHash: { useSourceIp: true, minimumRingSize: 1, ringHash: {} } } }),
    'spec.trafficPolicy.loadBalancer.consistentHash',
  ],
  [
    'a Maglev table that is not prime',
    policy({ loadBalancer: { consistentHash: { useSourceIp: true, maglev: { tableSize: 100 } } } }),
    'spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize',
  ],
  [
    'a cookie attribute twice',
    policy({
      loadBalancer: {
        consistentHash: { httpCookie: { name: 'c', attributes: [{ name: 'A' }, { name: 'B' }, { name: 'A' }] } },
      },
    }),
    'spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[2].name',
  ],
  [
    'failover by region, and by a topology label',
    locality({ failover: [{ from: 'a', to: 'b' }], failoverPriority: ['app', 'topology.kubernetes.io/zone'] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting',
  ],
  [
    'failover by region, and by another label',
    locality({ failover: [{ from: 'a', to: 'b' }], failoverPriority: ['app'] }),
  ],
  [
    'zone-aware routing by zones, and to the same region',
    policy({
      loadBalancer: {
        zoneAwareLbSetting: { failover: [{ from: 'a', to: 'a' }], failoverPriority: ['topology.kubernetes.io/zone'] },
      },
    }),
    'spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failover[0]',
    'spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failoverPriority[0]',
  ],
  [
    'warmup with RANDOM',
    policy({ loadBalancer: { simple: 'RANDOM', warmup: { duration: '5s' } } }),
    'warning spec.trafficPolicy.loadBalancer.warmup',
  ],
  ['localities', locality({ distribute: [{ from: 'a/*', to: { 'a/*': 80, 'b/*': 20 } }] })],
  [
    'shares that add up to 90',
    locality({ distribute: [{ from: 'a', to: { a: 80, b: 10 } }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to',
  ],
  [
    'a share of 0',
    locality({ distribute: [{ from: 'a', to: { a: 100, b: 0 } }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to.b',
  ],
  [
    'localities that overlap',
    locality({ distribute: [{ from: 'a', to: { 'b/*': 50, 'b/c': 50 } }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to',
  ],
  [
    'a wildcard in the middle',
    locality({ distribute: [{ from: 'a/*/b', to: { a: 100 } }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].from',
  ],
  [
    'failover to itself',
    locality({ failover: [{ from: 'a', to: 'a' }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0]',
  ],
  [
    'failover of a zone',
    locality({ failover: [{ from: 'a/b', to: 'c' }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0]',
  ],
  [
    'distribute and failover',
    locality({ distribute: [{ from: 'a', to: { a: 100 } }], failover: [{ from: 'a', to: 'b' }] }),
    'spec.trafficPolicy.loadBalancer.localityLbSetting',
  ],
  ['an empty pool', policy({ connectionPool: {} }), 'spec.trafficPolicy.connectionPool'],
  [
    'an upgrade of what the client speaks',
    policy({ connectionPool: { http: { useClientProtocol: true, h2UpgradePolicy: 'UPGRADE' } } }),
    'spec.trafficPolicy.connectionPool.http',
  ],
  [
    'local failures that are not split',
    policy({ outlierDetection: { consecutiveLocalOriginFailures: 3 } }),
    'spec.trafficPolicy.outlierDetection',
  ],
  ['mutual TLS by files', tls({ mode: 'MUTUAL', clientCertificate: 'c', privateKey: 'k' })],
  ['mutual TLS by a secret', tls({ mode: 'MUTUAL', credentialName: 's' })],
  [
    'mutual TLS without certificates',
    tls({ mode: 'MUTUAL' }),
    'spec.trafficPolicy.tls.clientCertificate',
    'spec.trafficPolicy.tls.privateKey',
  ],
  ['mesh TLS with certificates', tls({ mode: 'ISTIO_MUTUAL', privateKey: 'k' }), 'spec.trafficPolicy.tls.privateKey'],
  ['a secret and files', tls({ mode: 'SIMPLE', credentialName: 's', caCertificates: 'c' }), 'spec.trafficPolicy.tls'],
  [
    'names that are not verified',
    tls({ mode: 'SIMPLE', insecureSkipVerify: true, subjectAltNames: ['a'] }),
    'spec.trafficPolicy.tls.subjectAltNames',
  ],
  [
    'settings of no port',
    policy({ portLevelSettings: [{ loadBalancer: { simple: 'RANDOM' } }] }),
    'spec.trafficPolicy.portLevelSettings[0].port',
  ],
  ['a tunnel', policy({ tunnel: { protocol: 'CONNECT', targetHost: 'a.com', targetPort: 443 } })],
  [
    'a tunnel by GET',
    policy({ tunnel: { protocol: 'GET', targetHost: 'a.com', targetPort: 443 } }),
    'spec.trafficPolicy.tunnel.protocol',
  ],
  [
    'a tunnel and the PROXY protocol',
    policy({ tunnel: { targetHost: 'a.com', targetPort: 443 }, proxyProtocol: {} }),
    'spec.trafficPolicy',
  ],
]);

const server = (more: object): object => ({
  servers: [{ port: { number: 80, protocol: 'HTTP', name: 'http' }, hosts: ['*'], ...more }],
});
const https = (settings: object | undefined): object =>
  server({ port: { number: 443, protocol: 'HTTPS', name: 'https' }, tls: settings });

check('Gateway', [
  ['plain HTTP', server({})],
  ['no servers', {}, 'spec.servers'],
  ['no hosts', server({ hosts: [] }), 'spec.servers[0].hosts'],
  ['hosts of namespaces', server({ hosts: ['./a.com', 'ns/*.b.com', '*/c.com'] })],
  ['a host that is no name', server({ hosts: ['a/b/c'] }), 'spec.servers[0].hosts[0]'],
  [
    'an unknown protocol',
    server({ port: { number: 80, protocol: 'FTP', name: 'x' } }),
    'spec.servers[0].port.protocol',
  ],
  ['port 0', server({ port: { number: 0, protocol: 'HTTP', name: 'x' } }), 'spec.servers[0].port.number'],
  ['a unix socket', server({ port: { number: 0, protocol: 'HTTP', name: 'x' }, bind: 'unix:///run/x' })],
  [
    'a relative socket',
    server({ port: { number: 0, protocol: 'HTTP', name: 'x' }, bind: 'unix://x' }),
    'spec.servers[0].bind',
  ],
  ['HTTPS by a secret', https({ mode: 'SIMPLE', credentialName: 's' })],
  ['HTTPS without settings', https(undefined), 'spec.servers[0]'],
  [
    'HTTPS without certificates',
    https({ mode: 'SIMPLE' }),
    'spec.servers[0].tls.serverCertificate',
    'spec.servers[0].tls.privateKey',
  ],
  [
    'mutual TLS without CA',
    https({ mode: 'MUTUAL', serverCertificate: 'c', privateKey: 'k' }),
    'spec.servers[0].tls.caCertificates',
  ],
  [
    'mesh TLS with a secret',
    https({ mode: 'ISTIO_MUTUAL', credentialName: 's' }),
    'spec.servers[0].tls.credentialName',
  ],
  [
    'passed-through TLS with a secret',
    https({ mode: 'PASSTHROUGH', credentialName: 's' }),
    'warning spec.servers[0].tls.credentialName',
  ],
  [
    'versions the wrong way round',
    https({ mode: 'PASSTHROUGH', minProtocolVersion: 'TLSV1_3', maxProtocolVersion: 'TLSV1_2' }),
    'spec.servers[0].tls',
  ],
  ['a redirect to HTTPS', server({ tls: { httpsRedirect: true } })],
  ['TLS on plain HTTP', server({ tls: { mode: 'SIMPLE', credentialName: 's' } }), 'spec.servers[0].tls'],
  [
    'a port name twice',
    { servers: [80, 81].map((number) => ({ port: { number, protocol: 'HTTP', name: 'x' }, hosts: ['*'] })) },
    'spec.servers[1].port.name',
  ],
]);

const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];

check('ServiceEntry', [
  ['an external name', { hosts: ['a.com'], ports, resolution: 'DNS' }],
  ['a wildcard by DNS', { hosts: ['*.a.com'], ports, resolution: 'DNS' }, 'spec.hosts[0]'],
  ['a wildcard with endpoints', { hosts: ['*.a.com'], ports, resolution: 'DNS', endpoints: [{ address: 'b.com' }] }],
  ['a host that is no name', { hosts: ['foo*'], ports }, 'spec.hosts[0]'],
  ['an address that is none', { hosts: ['a.com'], addresses: ['1.2.3.4/99'], ports }, 'spec.addresses[0]'],
  ['a port name that is none', { hosts: ['a.com'], ports: [{ number: 80, name: 'a b' }] }, 'spec.ports[0].name'],
  [
    'a protocol that is none',
    { hosts: ['a.com'], ports: [{ number: 80, name: 'a', protocol: 'X' }] },
    'spec.ports[0].protocol',
  ],
  [
    'a name as static endpoint',
    { hosts: ['a.com'], ports, resolution: 'STATIC', endpoints: [{ address: 'b.com' }] },
    'spec.endpoints[0].address',
  ],
  [
    'an endpoint port of another name',
    { hosts: ['a.com'], ports, resolution: 'STATIC', endpoints: [{ address: '1.1.1.1', ports: { x: 1 } }] },
    'spec.endpoints[0].ports.x',
  ],
  [
    'a socket for two ports',
    {
      hosts: ['a.com'],
      ports: [...ports, { number: 81, name: 'b' }],
      resolution: 'STATIC',
      endpoints: [{ address: 'unix:///x' }],
    },
    'spec.endpoints[0].address',
  ],
  [
    'two hosts that look the same',
    { hosts: ['a.com', 'b.com'], ports: [{ number: 80, name: 'tcp', protocol: 'TCP' }], resolution: 'DNS' },
    'warning spec.hosts',
  ],
  ['two hosts of HTTP', { hosts: ['a.com', 'b.com'], ports, resolution: 'DNS' }],
  [
    'dynamic DNS with endpoints',
    { hosts: ['*.a.com'], ports, resolution: 'DYNAMIC_DNS', endpoints: [{ address: 'b.com' }] },
    'spec',
  ],
  ['hidden from all', { hosts: ['a.com'], ports, exportTo: ['~'] }],
]);

check('Sidecar', [
  ['nothing', {}, 'spec'],
  ['egress to namespaces', { egress: [{ hosts: ['./*', 'istio-system/*', '~/*'] }] }],
  ['egress without a namespace', { egress: [{ hosts: ['a.com'] }] }, 'spec.egress[0].hosts[0]'],
  ['egress to nowhere', { egress: [{ hosts: [] }] }, 'spec.egress[0].hosts'],
  ['a host twice', { egress: [{ hosts: ['*/a', '*/a'] }] }, 'spec.egress[0].hosts[1]'],
  [
    'the listener for all before others',
    { egress: [{ hosts: ['*/*'] }, { port: { number: 80 }, hosts: ['*/*'] }] },
    'spec.egress[0]',
  ],
  ['two listeners for all', { egress: [{ hosts: ['*/*'] }, { hosts: ['./*'] }] }, 'spec.egress[1]', 'spec.egress[0]'],
  ['a bind without a port', { egress: [{ bind: '127.0.0.1', hosts: ['*/*'] }] }, 'spec.egress[0]'],
  ['ingress', { ingress: [{ port: { number: 80, protocol: 'HTTP', name: 'x' }, defaultEndpoint: '127.0.0.1:8080' }] }],
  [
    'an endpoint elsewhere',
    { ingress: [{ port: { number: 80 }, defaultEndpoint: '10.0.0.1:8080' }] },
    'spec.ingress[0].defaultEndpoint',
  ],
  [
    'an ingress port twice',
    { ingress: [{ port: { number: 80 } }, { port: { number: 80 } }] },
    'spec.ingress[1].port.number',
  ],
  [
    'ingress with mesh TLS',
    { ingress: [{ port: { number: 80, protocol: 'HTTPS' }, tls: { mode: 'ISTIO_MUTUAL' } }] },
    'spec.ingress[0].tls.mode',
  ],
  [
    'ingress with certificates of a Secret',
    { ingress: [{ port: { number: 80, protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: 'c' } }] },
    'warning spec.ingress[0].tls.credentialName',
  ],
  [
    'a target port',
    { egress: [{ port: { number: 80, targetPort: 81 }, hosts: ['*/*'] }] },
    'warning spec.egress[0].port.targetPort',
  ],
  [
    'an egress proxy without a name',
    { outboundTrafficPolicy: { egressProxy: { host: '*' } } },
    'spec.outboundTrafficPolicy.egressProxy.host',
  ],
]);

check('WorkloadEntry', [
  ['an address', { address: '10.0.0.1', labels: { app: 'a' } }],
  ['a name', { address: 'a.com' }],
  ['neither', { address: 'a b' }, 'spec.address'],
  ['a label that is none', { address: '10.0.0.1', labels: { app: 'a b' } }, 'spec.labels.app'],
]);

check('WorkloadGroup', [
  ['a template', { template: { serviceAccount: 'a' }, probe: { tcpSocket: { port: 80 } } }],
  ['a probe of nothing', { template: {}, probe: { periodSeconds: 5 } }, 'spec.probe'],
  ['a probe by no program', { template: {}, probe: { exec: { command: [] } } }, 'spec.probe.exec.command'],
]);
