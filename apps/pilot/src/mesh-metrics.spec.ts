import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { MeshMetrics } from './mesh-metrics.js';

function counted(use: (metrics: MeshMetrics) => void) {
  const registry = new Registry();
  use(new MeshMetrics(registry));
  return async (name: string) =>
    (await registry.getSingleMetricAsString(name)).split('\n').filter((line) => !line.startsWith('#'));
}

describe('what becomes of the mesh log', () => {
  it('is counted by kind and event, and once a push by what had changed', async () => {
    const lines = counted((metrics) => {
      const { changed } = metrics.events;
      changed?.('/Service/default/a', 'add');
      changed?.('/Service/default/a', 'delete');
      changed?.('networking.istio.io/VirtualService/default/a', 'update');
      changed?.('networking.istio.io/VirtualService/default/b', 'update');
      metrics.pushed();
      metrics.pushed();
    });
    expect(await lines('pilot_push_triggers')).toEqual([
      'pilot_push_triggers{type="service"} 1',
      'pilot_push_triggers{type="config"} 1',
    ]);
    expect(await lines('pilot_k8s_cfg_events')).toEqual([
      'pilot_k8s_cfg_events{type="VirtualService",event="update"} 2',
    ]);
    expect(await lines('pilot_k8s_reg_events')).toEqual([
      'pilot_k8s_reg_events{type="Service",event="add"} 1',
      'pilot_k8s_reg_events{type="Service",event="delete"} 1',
    ]);
    expect(await lines('pilot_inbound_updates')).toEqual([
      'pilot_inbound_updates{type="svc"} 1',
      'pilot_inbound_updates{type="svcdelete"} 1',
      'pilot_inbound_updates{type="config"} 2',
    ]);
  });

  it('has a bounded number of kinds', async () => {
    const lines = counted(({ events }) => {
      for (let i = 0; i < 1000; i++) events.changed?.(`x/Kind${i}/n/o`, 'add');
      events.changed?.('x/Kind3/n/o', 'add');
      events.changed?.('no key', 'add');
      events.changed?.('x/constructor/n/o', 'add');
    });
    const series = await lines('pilot_k8s_cfg_events');
    expect(series).toHaveLength(201);
    expect(series).toContain('pilot_k8s_cfg_events{type="Kind3",event="add"} 2');
    expect(series).toContain('pilot_k8s_cfg_events{type="other",event="add"} 802');
  });
});
