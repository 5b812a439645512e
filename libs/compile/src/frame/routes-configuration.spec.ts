import { describe, expect, it } from '@jest/globals';
import { create, fromBinary } from '@bufbuild/protobuf';
import { encodeResource } from '@seine/envoy';
import { VirtualHostSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';
import { routeConfigurationShell, spliceRouteConfiguration } from './routes-configuration.js';

const host = (name: string, domains: number): ReturnType<typeof create<typeof VirtualHostSchema>> =>
  create(VirtualHostSchema, { name, domains: Array.from({ length: domains }, (_, i) => `${name}-${i}.example.com`) });

describe('routeConfigurationShell', () => {
  it.each([
    [undefined, true],
    [{ ignorePort: false }, false],
  ])('with %p', (options, ignorePort) => {
    const shell = routeConfigurationShell('9080', options);
    expect(shell).toMatchObject({
      name: '9080',
      validateClusters: false,
      maxDirectResponseBodySizeBytes: 1048576,
      ignorePortInHostMatching: ignorePort,
    });
  });
});

describe('spliceRouteConfiguration', () => {
  it.each([
    ['no virtual host', '9080', []],
    ['one', '9080', [host('a', 1)]],
    ['several, some longer than one and two bytes of length', '9080', [host('a', 1), host('b', 30), host('c', 2000)]],
    ['an empty virtual host', '9080', [host('', 0)]],
    ['no name', '', [host('a', 1)]],
    ['a long name outside ASCII', 'ä'.repeat(100), [host('a', 1)]],
  ])('gives the bytes of the whole message: %s', (_, name, hosts) => {
    const shell = routeConfigurationShell(name);
    const spliced = spliceRouteConfiguration(
      shell,
      hosts.map((virtualHost) => encodeResource(VirtualHostSchema, virtualHost)),
    );
    const whole = { ...shell, virtualHosts: hosts };
    expect(fromBinary(RouteConfigurationSchema, spliced)).toEqual(
      fromBinary(RouteConfigurationSchema, encodeResource(RouteConfigurationSchema, whole)),
    );
    expect(spliced.equals(encodeResource(RouteConfigurationSchema, whole))).toBe(true);
  });

  it('refuses a shell with virtual hosts', () => {
    const shell = { ...routeConfigurationShell('9080'), virtualHosts: [host('a', 1)] };
    expect(() => spliceRouteConfiguration(shell, [])).toThrow('has virtual hosts');
  });
});
