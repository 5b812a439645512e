import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ListenerFilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { defaultMeshConfig } from '@seine/model';
import { httpInspector, sniffingTimeout, tlsInspector } from './protocol-sniffing.js';

const range = (port: number) => ({ destination_port_range: { start: port, end: port + 1 } });

describe('inspectors', () => {
  it.each<[number[], object | undefined]>([
    [[], undefined],
    [[3306], range(3306)],
    [[3306, 9080], { or_match: { rules: [range(3306), range(9080)] } }],
  ])('leave the ports %j alone', (ports, expected) => {
    for (const filter of [tlsInspector(ports), httpInspector(ports)]) {
      const json = toEnvoyJson(ListenerFilterSchema, filter) as { filter_disabled?: object };
      expect(json.filter_disabled).toEqual(expected);
    }
  });

  it.each([
    [0, 0n, 0],
    [100, 0n, 100_000_000],
    [5000, 5n, 0],
  ])('wait %i ms', (protocolDetectionTimeout, seconds, nanos) => {
    expect(sniffingTimeout({ ...defaultMeshConfig, protocolDetectionTimeout })).toMatchObject({
      listenerFiltersTimeout: { seconds, nanos },
      continueOnListenerFiltersTimeout: true,
    });
  });
});
