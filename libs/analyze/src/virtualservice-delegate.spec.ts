import { checkAnalyzer, the } from './testing/check-analyzer.js';
import { virtualserviceDelegate } from './virtualservice-delegate.js';

const root = (delegate: object) => the('VirtualService shop/root', { hosts: ['x'], http: [{}, { delegate }] });
const missing = ['IST0101 VirtualService/shop/root spec.http[1].delegate.name'];

checkAnalyzer(virtualserviceDelegate, [
  ['a delegate', [root({ name: 'd' }), the('VirtualService shop/d', { http: [] })], []],
  ['a delegate of another namespace', [root({ name: 'd', namespace: 'other' }), the('VirtualService other/d')], []],
  ['no delegate', [root({ name: 'd' })], missing],
  ['a delegate elsewhere', [root({ name: 'd' }), the('VirtualService other/d')], missing],
  ['one that stands for itself', [root({ name: 'd' }), the('VirtualService shop/d', { hosts: ['y'] })], missing],
]);
