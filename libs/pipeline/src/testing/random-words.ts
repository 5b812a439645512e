/**
 * What a random object says in its text and number fields, by the field's name: hosts that exist and some that do not,
 * so that objects meet each other. Fields without an entry get letters.
 */
const hosts = ['a', 'b', 'a.one.svc.cluster.local', 'b.two.svc.cluster.local', 'x.example.com', 'y.example.com'];
const wildcards = ['*.example.com', '*'];
const versions = ['v1', 'v2', 'v9'];
const paths = ['/', '/x', '/x/y', '/api/v1'];
const namespaces = ['one', 'two', 'istio-system'];
const addresses = ['10.96.0.7', '192.0.2.1', '10.1.0.3', '2001:db8::7'];
const blocks = ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32', '10.96.0.7'];
const ports = [80, 443, 5432, 7070, 8000, 9080, 15443];
const headers = ['x-user', 'end-user', 'cookie', 'x-b3-sampled'];
const objects = ['a', 'b', 'one/a', 'part'];

type Word = string | number;
type Words = readonly Word[] | ((parents: readonly string[]) => readonly Word[] | undefined);

const words: Readonly<Record<string, Words>> = {
  host: (parents) =>
    parents.includes('httpGet') || parents.includes('tcpSocket') ? addresses : [...hosts, '*.example.com'],
  hosts: (parents) => {
    if (parents.includes('egress'))
      return ['*/*', './*', '~/*', 'one/*', '*/a.one.svc.cluster.local', './x.example.com'];
    return parents.includes('servers')
      ? [...wildcards, 'x.example.com', 'one/*', './y.example.com']
      : [...hosts, ...wildcards];
  },
  sniHosts: ['x.example.com', '*.example.com', 'y.example.com'],
  sni: ['x.example.com', 'outer.example.com'],
  authority: ['x.example.com', 'a'],
  subset: versions,
  number: ports,
  port: ports,
  targetPort: ports,
  targetPortNumber: ports,
  name: (parents) =>
    parents.includes('providers')
      ? ['prometheus', 'envoy', 'json', 'als', 'zipkin', 'otel', 'nobody']
      : [...objects, 'http', 'tcp-db', 'v1', 'v2'],
  value: (parents) => {
    if (parents.includes('tagOverrides')) return ['request.host', "'books'", 'string(destination.port)', 'nofunc(1)'];
    return parents.includes('formatter') ? ['%REQ(x-user)%', 'books', '%NOPE%'] : undefined;
  },
  namespace: namespaces,
  sourceNamespace: namespaces,
  exportTo: ['*', '.', '~', 'one'],
  gateways: ['mesh', 'one/a', 'a', 'two/b'],
  uri: [...paths, '/y'],
  exact: [...paths, 'jason', 'GET', 'x.example.com'],
  prefix: [...paths, 'ja'],
  regex: ['/x/.*', 'a|b', '^.*$', '[0-9]+'],
  match: (parents) => (parents.includes('uriRegexRewrite') ? ['^/x/(.*)$', '/([a-z]+)/y'] : undefined),
  rewrite: ['/y/\\1', '/z'],
  address: [...addresses, 'db.example.com', 'unix:///var/run/x.sock'],
  addresses: blocks,
  destinationSubnets: blocks,
  ipBlocks: blocks,
  protocol: ['HTTP', 'HTTPS', 'HTTP2', 'GRPC', 'TCP', 'TLS', 'MONGO', 'MYSQL'],
  bind: ['0.0.0.0', '127.0.0.1', '10.1.0.3'],
  defaultEndpoint: ['127.0.0.1:8080', 'unix:///var/run/app.sock', '0.0.0.0:9090'],
  httpHeaderName: headers,
  httpQueryParameterName: ['user', 'q'],
  scheme: ['http', 'https'],
  method: ['GET', 'POST'],
  redirectCode: [301, 302, 303, 307, 308],
  status: [200, 404, 503],
  httpStatus: [400, 503],
  grpcStatus: ['UNAVAILABLE', 'NOT_FOUND', '14'],
  retryOn: ['5xx', 'gateway-error,reset', 'connect-failure,503', 'retriable-headers'],
  serverCertificate: ['/etc/certs/cert.pem'],
  privateKey: ['/etc/certs/key.pem'],
  clientCertificate: ['/etc/certs/cert.pem'],
  caCertificates: ['/etc/certs/ca.pem'],
  caCrl: [],
  credentialName: ['cert', 'other'],
  credentialNames: ['cert', 'other'],
  caCertCredentialName: ['ca'],
  cipherSuites: ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ecdhCurves: ['P-256', 'X25519'],
  subjectAltNames: ['spiffe://cluster.local/ns/one/sa/default', 'x.example.com'],
  verifyCertificateHash: ['df6ff72fe9116521268f6f2dd4966f51df479883fe7037b39f75916ac3049d1a', 'short'],
  verifyCertificateSpki: ['NvqYIYSbgK2vCJpQhObf77vv+bQWtc5ek5RIOwPiC9A=', 'short'],
  allowMethods: ['GET', 'POST'],
  allowHeaders: headers,
  exposeHeaders: headers,
  allowOrigin: ['*', 'https://x.example.com'],
  locality: ['eu/zone-1', 'us', 'eu/zone-1/rack-2'],
  from: ['eu', 'us', 'eu/*', 'us/zone-1'],
  to: ['eu', 'us', 'eu/*'],
  failoverPriority: ['topology.kubernetes.io/region', 'version', 'version=v1'],
  network: ['', 'other'],
  egressProxy: hosts,
  remove: headers,
  tableSize: [65537, 5],
  weight: [0, 1, 30, 70, 100],
  expression: ['response.code >= 400', "request.url_path == '/x'"],
  statPrefix: ['stat'],
  path: ['/x', '/session', '/var/run/x.sock'],
  bytes: ['aGVsbG8='],
  jwks: ['{"keys":[]}'],
};

/** @param parents names of the fields around it, outermost first */
export function wordsFor(field: string, parents: readonly string[]): readonly Word[] | undefined {
  const found = words[field];
  return typeof found === 'function' ? found(parents) : found;
}

/** Keys of maps, by the map's name. */
export function keysFor(field: string): readonly string[] {
  if (/headers/i.test(field) || field === 'set' || field === 'add') return headers;
  if (/ports/i.test(field)) return ['http', 'tcp-db', 'tls'];
  if (field === 'queryParams') return ['user', 'q'];
  return ['app', 'version', 'istio'];
}

/** Values of `labels` and selectors, by key. */
export const labelValues: Readonly<Record<string, readonly string[]>> = {
  app: ['a', 'b'],
  version: ['v1', 'v2'],
  istio: ['ingressgateway'],
};
