import { schemaVirtualService } from './schema-virtual-service.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const service = (http: readonly object[]) => [the('VirtualService shop/a', { http })];
const prefix = (text: string, more: object = {}) => ({ uri: { prefix: text }, ...more });
const rules = (...matches: object[]) => service(matches.map((match) => ({ match: [match] })));
const unreachable = (path: string) => `IST0130 VirtualService/shop/a spec.${path}`;
const ineffective = (path: string) => `IST0131 VirtualService/shop/a spec.${path}`;
const header = { headers: { a: { exact: 'b' } } };

checkAnalyzer(schemaVirtualService, [
  ['one that takes all, last', service([{ match: [prefix('/a')] }, {}]), []],
  ['one that takes all, first', service([{}, { match: [prefix('/a')] }]), [unreachable('http[1]')]],
  ['two that take all', service([{}, {}]), [unreachable('http[1]')]],
  [
    'a rule behind one that takes all is told once',
    service([{}, { match: [prefix('/a'), prefix('/b')] }]),
    [unreachable('http[1]')],
  ],
  [
    'the same match twice',
    rules(prefix('/a'), prefix('/a')),
    [unreachable('http[1]'), ineffective('http[1].match[0]')],
  ],
  [
    'the same in another order of fields',
    rules({ ...header, ...prefix('/a') }, prefix('/a', header)),
    [unreachable('http[1]'), ineffective('http[1].match[0]')],
  ],
  [
    'the same under another name',
    rules(prefix('/a', { name: 'x' }), prefix('/a', { name: 'y' })),
    [unreachable('http[1]'), ineffective('http[1].match[0]')],
  ],
  [
    'one match of two the same',
    service([{ match: [prefix('/a')] }, { match: [prefix('/a'), prefix('/b')] }]),
    [ineffective('http[1].match[0]')],
  ],
  ['a longer path after a shorter', rules(prefix('/a'), prefix('/a/b')), [ineffective('http[1].match[0]')]],
  ['a shorter path after a longer', rules(prefix('/a/b'), prefix('/a')), []],
  ['a longer path that asks more', rules(prefix('/a'), prefix('/a/b', header)), [ineffective('http[1].match[0]')]],
  ['a longer path that asks less', rules(prefix('/a', header), prefix('/a/b')), []],
  [
    'a longer path that asks for something else',
    rules(prefix('/a', header), prefix('/a/b', { headers: { a: { exact: 'c' } } })),
    [],
  ],
  ['a longer path on another port', rules(prefix('/a', { port: 80 }), prefix('/a/b', { port: 81 })), []],
  ['a shorter path for some clients only', rules(prefix('/a', { sourceLabels: { app: 'x' } }), prefix('/a/b')), []],
  ['an exact path', rules(prefix('/a'), { uri: { exact: '/a' } }), []],
  [
    'TCP',
    [the('VirtualService shop/a', { tcp: [{ match: [{ port: 1 }] }, { match: [{ port: 1 }] }] })],
    [unreachable('tcp[1]'), ineffective('tcp[1].match[0]')],
  ],
  [
    'TLS',
    [
      the('VirtualService shop/a', {
        tls: [
          { match: [{ sniHosts: ['a'] }, { sniHosts: ['b'] }] },
          { match: [{ sniHosts: ['b'] }, { sniHosts: ['c'] }] },
        ],
      }),
    ],
    [ineffective('tls[1].match[0]')],
  ],
]);
