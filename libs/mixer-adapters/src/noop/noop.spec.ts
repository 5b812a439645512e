import { expect, it } from '@jest/globals';
import { makeAdapter } from '../testing/adapter.fixture.js';
import { noop } from './noop.js';

it('noop says yes to everything, whatever its parameters', async () => {
  const adapter = await makeAdapter(noop, { kubeconfigPath: '/etc/kube', backendAddress: 'x' });
  expect(adapter.listentry?.({ instance: 'a', value: 'b' })).toMatchObject({ code: 0 });
  expect(adapter.quota?.({ instance: 'a', dimensions: new Map() }, { amount: 7, bestEffort: false })).toEqual({
    granted: 7,
  });
  for (const template of noop.templates) expect(adapter[template]).toBeInstanceOf(Function);
});
