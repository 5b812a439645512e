import { serviceentryConflictingServiceEntryProtocol } from './serviceentry-conflicting-service-entry-protocol.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const entry = (name: string, protocol: string, more: object = {}) =>
  the(`ServiceEntry ${name}`, { hosts: ['x'], ports: [{ number: 1, protocol }], ...more });
const path = 'spec.ports[0].protocol';
const both = [`IST0177 ServiceEntry/shop/a ${path}`, `IST0177 ServiceEntry/shop/b ${path}`];

checkAnalyzer(serviceentryConflictingServiceEntryProtocol, [
  ['two protocols', [entry('shop/a', 'HTTP'), entry('shop/b', 'TLS')], both],
  ['one protocol', [entry('shop/a', 'HTTP'), entry('shop/b', 'http')], []],
  ['other hosts', [entry('shop/a', 'HTTP'), entry('shop/b', 'TLS', { hosts: ['y'] })], []],
  ['other ports', [entry('shop/a', 'HTTP'), entry('shop/b', 'TLS', { ports: [{ number: 2, protocol: 'TLS' }] })], []],
  [
    'each for its own namespace',
    [entry('shop/a', 'HTTP', { exportTo: ['.'] }), entry('other/b', 'TLS', { exportTo: ['.'] })],
    [],
  ],
  [
    'one for all, one for a namespace',
    [entry('shop/a', 'HTTP'), entry('other/b', 'TLS', { exportTo: ['.'] })],
    [`IST0177 ServiceEntry/shop/a ${path}`, `IST0177 ServiceEntry/other/b ${path}`],
  ],
]);
