import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { ListenerSchema } from '@seine/envoy/envoy/config/listener/v3/listener_pb.js';
import { defaultMeshConfig } from '@seine/model';
import { connectionManagerOf, summarizeListener } from '@seine/testing';
import { chainContext } from '../../inputs.js';
import { emitHttpProxyListener } from './http-proxy.js';

describe('emitHttpProxyListener', () => {
  const listener = emitHttpProxyListener(
    { ipAddresses: ['127.0.0.9'], httpProxyPort: 15007 },
    chainContext('outbound', { config: defaultMeshConfig }),
  );

  it('binds the proxy’s own address', () => {
    expect(toEnvoyJson(ListenerSchema, listener!)).toMatchObject({
      name: '127.0.0.9_15007',
      address: { socket_address: { address: '127.0.0.9', port_value: 15007 } },
      traffic_direction: 'OUTBOUND',
    });
    expect(summarizeListener(listener!).chains).toEqual(['[] → http rds:http_proxy']);
  });

  it('takes absolute URLs, CONNECT and websockets', () => {
    expect(connectionManagerOf(listener!.filterChains[0])).toMatchObject({
      httpProtocolOptions: { allowAbsoluteUrl: true },
      upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'CONNECT' }],
    });
  });

  it.each([
    ['a port', { ipAddresses: ['127.0.0.9'], httpProxyPort: 0 }],
    ['an address', { ipAddresses: [], httpProxyPort: 15007 }],
  ])('needs %s', (_what, proxy) => {
    expect(emitHttpProxyListener(proxy, chainContext('outbound', { config: defaultMeshConfig }))).toBeUndefined();
  });
});
