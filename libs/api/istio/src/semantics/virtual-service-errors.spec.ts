import { describe, expect, it } from '@jest/globals';
import { semanticErrors } from './index.js';

type Row = readonly [what: string, spec: unknown, ...errors: readonly string[]];

const route = [{ destination: { host: 'reviews' } }];
const http = (rule: object): object => ({ hosts: ['reviews'], http: [{ route, ...rule }] });

/** Paths of errors (or `warning` and the path) for a spec. */
function found(kind: string, spec: unknown): readonly string[] {
  return semanticErrors(kind, spec).map(({ severity, path }) =>
    severity === 'error' ? (path ?? '') : `warning ${path}`,
  );
}

function check(kind: string, rows: readonly Row[]): void {
  describe(kind, () => {
    it.each(rows)('%s', (...[, spec, ...errors]) => expect(found(kind, spec)).toEqual(errors));
  });
}

check('VirtualService', [
  ['a plain route', http({})],
  ['no routes', { hosts: ['a'] }, 'spec'],
  ['a delegate', { http: [{ route }] }],
  ['a delegate with gateways', { gateways: ['gw'], http: [{ route }] }, 'spec.gateways'],
  ['a delegate with TCP', { tcp: [{ route }] }, 'spec.tcp'],
  ['all hosts in the mesh', { hosts: ['*'], http: [{ route }] }, 'spec.hosts[0]'],
  ['all hosts at a gateway', { hosts: ['*'], gateways: ['ns/gw'], http: [{ route }] }],
  ['an address as host', { hosts: ['10.0.0.1'], http: [{ route }] }],
  ['a host that is no name', { hosts: ['a b'], http: [{ route }] }, 'spec.hosts[0]'],
  ['a host twice', { hosts: ['a', 'a'], http: [{ route }] }, 'spec.hosts[1]'],
  ['a host within another', { hosts: ['*.b.com', 'a.b.com'], http: [{ route }] }, 'spec.hosts[1]'],
  ['a gateway name with two slashes', { ...http({}), gateways: ['a/b/c'] }, 'spec.gateways[0]'],
  ['no action', { hosts: ['a'], http: [{}] }, 'spec.http[0]'],
  ['route and redirect', http({ redirect: { uri: '/' } }), 'spec.http[0]'],
  [
    'redirect with fault',
    http({ route: undefined, redirect: { uri: '/' }, fault: { abort: { httpStatus: 500 } } }),
    'spec.http[0]',
  ],
  ['redirect with rewrite', http({ route: undefined, redirect: { uri: '/' }, rewrite: { uri: '/' } }), 'spec.http[0]'],
  ['direct response', http({ route: undefined, directResponse: { status: 503 } })],
  [
    'direct response of status 600',
    http({ route: undefined, directResponse: { status: 600 } }),
    'spec.http[0].directResponse.status',
  ],
  [
    'a new prefix for an exact path',
    http({
      route: undefined,
      match: [{ uri: { prefix: '/a' } }, { uri: { exact: '/b' } }],
      redirect: { prefixRewrite: '/' },
    }),
    'spec.http[0].redirect.prefixRewrite',
  ],
  [
    'a new prefix for a prefix, and for any path',
    http({ route: undefined, match: [{ uri: { prefix: '/a' } }, { port: 80 }], redirect: { prefixRewrite: '/' } }),
  ],
  ['empty redirect', http({ route: undefined, redirect: {} }), 'spec.http[0].redirect'],
  [
    'redirect to another scheme',
    http({ route: undefined, redirect: { scheme: 'ftp' } }),
    'spec.http[0].redirect.scheme',
  ],
  [
    'redirect with status 200',
    http({ route: undefined, redirect: { uri: '/', redirectCode: 200 } }),
    'spec.http[0].redirect.redirectCode',
  ],
  ['a delegating route', http({ route: undefined, delegate: { name: 'b', namespace: 'ns' } })],
  ['a delegating route without a name', http({ route: undefined, delegate: {} }), 'spec.http[0].delegate.name'],
  [
    'weights that add up to 0',
    http({
      route: [
        { ...route[0], weight: 0 },
        { ...route[0], weight: 0 },
      ],
    }),
    'spec.http[0].route',
  ],
  ['a single weight of 0', http({ route: [{ ...route[0], weight: 0 }] })],
  [
    'weights that add up to 30',
    http({
      route: [
        { ...route[0], weight: 10 },
        { ...route[0], weight: 20 },
      ],
    }),
  ],
  [
    'a destination that is no name',
    http({ route: [{ destination: { host: 'a b' } }] }),
    'spec.http[0].route[0].destination.host',
  ],
  [
    'a destination of all hosts',
    http({ route: [{ destination: { host: '*' } }] }),
    'spec.http[0].route[0].destination.host',
  ],
  [
    'a destination port 0',
    http({ route: [{ destination: { host: 'a', port: { number: 0 } } }] }),
    'spec.http[0].route[0].destination.port.number',
  ],
  ['a regex', http({ match: [{ uri: { regex: '/a/[0-9]+' } }] })],
  ['a wrong regex', http({ match: [{ uri: { regex: '/a/[0-9' } }] }), 'spec.http[0].match[0].uri.regex'],
  ['an empty regex', http({ match: [{ headers: { x: { regex: '' } } }] }), 'spec.http[0].match[0].headers.x.regex'],
  ['a lookahead, which RE2 has not', http({ match: [{ uri: { regex: '(?=a)' } }] }), 'spec.http[0].match[0].uri.regex'],
  ['a header that is no name', http({ match: [{ headers: { 'a b': {} } }] }), 'spec.http[0].match[0].headers'],
  ['a claim as header', http({ match: [{ headers: { '@request.auth.claims[group]': { exact: 'x' } } }] })],
  ['labels that are none', http({ match: [{ sourceLabels: { a: 'b c' } }] }), 'spec.http[0].match[0].sourceLabels.a'],
  ['a rewrite of nothing', http({ rewrite: {} }), 'spec.http[0].rewrite'],
  [
    'a regex rewrite without rewrite',
    http({ rewrite: { uriRegexRewrite: { match: 'a' } } }),
    'spec.http[0].rewrite.uriRegexRewrite',
  ],
  ['retries', http({ retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx,connect-failure, 503' } })],
  [
    'an unknown retry condition',
    http({ retries: { attempts: 3, retryOn: '5xx,never' } }),
    'warning spec.http[0].retries.retryOn',
  ],
  ['retries turned off and set up', http({ retries: { attempts: 0, perTryTimeout: '2s' } }), 'spec.http[0].retries'],
  ['an empty fault', http({ fault: {} }), 'spec.http[0].fault'],
  ['an abort with status 99', http({ fault: { abort: { httpStatus: 99 } } }), 'spec.http[0].fault.abort.httpStatus'],
  ['an abort with a gRPC status', http({ fault: { abort: { grpcStatus: 'UNAVAILABLE' } } })],
  [
    'an abort with an unknown gRPC status',
    http({ fault: { abort: { grpcStatus: 'BUSY' } } }),
    'spec.http[0].fault.abort.grpcStatus',
  ],
  ['an HTTP/2 abort', http({ fault: { abort: { http2Error: 'X' } } }), 'spec.http[0].fault.abort.http2Error'],
  ['a delay without duration', http({ fault: { delay: { percentage: { value: 5 } } } }), 'spec.http[0].fault.delay'],
  [
    'an exponential delay',
    http({ fault: { delay: { exponentialDelay: '1s' } } }),
    'spec.http[0].fault.delay.exponentialDelay',
  ],
  ['mirror and mirrors', http({ mirror: { host: 'b' }, mirrors: [{ destination: { host: 'c' } }] }), 'spec.http[0]'],
  ['a mirror percentage of 101', http({ mirror: { host: 'b' }, mirrorPercent: 101 }), 'spec.http[0].mirrorPercent'],
  [
    'a CORS method that is none',
    http({ corsPolicy: { allowMethods: ['GET', 'FETCH'] } }),
    'spec.http[0].corsPolicy.allowMethods[1]',
  ],
  [
    'a CORS origin that is empty',
    http({ corsPolicy: { allowOrigins: [{}] } }),
    'spec.http[0].corsPolicy.allowOrigins[0]',
  ],
  ['a CORS age in fractions', http({ corsPolicy: { maxAge: '1500ms' } }), 'spec.http[0].corsPolicy.maxAge'],
  ['header changes', http({ headers: { request: { set: { ':authority': 'a', 'x-a': 'b' }, remove: ['x-b'] } } })],
  [
    'a header change without a name',
    http({ headers: { response: { remove: [''] } } }),
    'spec.http[0].headers.response.remove[0]',
  ],
  ['a rule after one for all', { hosts: ['a'], http: [{ route }, { match: [{}], route }] }, 'warning spec.http[1]'],
  ['exportTo all and one', { ...http({}), exportTo: ['*', 'a'] }, 'spec.exportTo'],
  ['exportTo one twice', { ...http({}), exportTo: ['.', '.'] }, 'spec.exportTo[1]'],
  ['TLS', { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['a.com'] }], route }] }],
  [
    'TLS for a foreign name',
    { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['b.com'] }], route }] },
    'spec.tls[0].match[0].sniHosts[0]',
  ],
  [
    'TLS for no name',
    { hosts: ['a.com'], tls: [{ match: [{ sniHosts: [] }], route }] },
    'spec.tls[0].match[0].sniHosts',
  ],
  ['TLS to nowhere', { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['a.com'] }] }] }, 'spec.tls[0].route'],
  ['TCP', { hosts: ['a'], tcp: [{ match: [{ destinationSubnets: ['10.0.0.0/8'], port: 80 }], route }] }],
  [
    'TCP from a wrong subnet',
    { hosts: ['a'], tcp: [{ match: [{ sourceSubnet: '10.0.0.0/99' }], route }] },
    'spec.tcp[0].match[0].sourceSubnet',
    'warning spec.tcp[0].match[0].sourceSubnet',
  ],
  ['TCP to nowhere', { hosts: ['a'], tcp: [{}] }, 'spec.tcp[0].route'],
]);
