import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { Proxy } from '@seine/model';
import { parseNode } from './parse-node.js';

type NodeInit = MessageInitShape<typeof NodeSchema>;
const id = 'sidecar~10.1.2.3~reviews-v1-abc.shop~shop.svc.cluster.local';
const parse = (init: NodeInit) => parseNode(create(NodeSchema, init));
const withMetadata = (metadata: NodeInit['metadata']): NodeInit => ({ id, metadata });
const envoy: NodeInit = {
  userAgentName: 'envoy',
  userAgentVersionType: {
    case: 'userAgentBuildVersion',
    value: { version: { majorNumber: 1, minorNumber: 40, patch: 2 } },
  },
};

const readable: [string, NodeInit, Partial<Proxy>][] = [
  [
    'the id alone',
    { id },
    {
      type: 'sidecar',
      name: 'reviews-v1-abc',
      namespace: 'shop',
      ipAddresses: ['10.1.2.3'],
      dnsDomain: 'shop.svc.cluster.local',
      workloadName: 'reviews-v1-abc',
      interceptionMode: 'REDIRECT',
      httpProxyPort: 0,
      outboundCidr: '',
      dnsCapture: false,
      proxyless: false,
      envoyVersion: '',
    },
  ],
  [
    'a gateway',
    { id: 'router~10.0.0.9~gw.istio-system~istio-system.svc.cluster.local' },
    { type: 'router', name: 'gw' },
  ],
  ['a dotted pod name', { id: 'sidecar~10.0.0.9~a.b.c.ns~ns.svc.cluster.local' }, { name: 'a.b.c', namespace: 'ns' }],
  ['names in metadata', withMetadata({ NAME: 'x.y', NAMESPACE: 'other' }), { name: 'x.y', namespace: 'other' }],
  [
    'several addresses',
    withMetadata({ INSTANCE_IPS: '10.1.2.3,fe80::1,junk' }),
    { ipAddresses: ['10.1.2.3', 'fe80::1'] },
  ],
  [
    'the addresses of an id without one',
    { id: 'sidecar~~a.ns~ns.svc.cluster.local', metadata: { INSTANCE_IPS: '10.9.9.9' } },
    { ipAddresses: ['10.9.9.9'] },
  ],
  ['labels that are text', withMetadata({ LABELS: { app: 'reviews', n: 1 } }), { labels: { app: 'reviews' } }],
  ['labels of the wrong type', withMetadata({ LABELS: ['app'] }), { labels: {} }],
  [
    'workload and account',
    withMetadata({ WORKLOAD_NAME: 'reviews-v1', SERVICE_ACCOUNT: 'bookinfo-reviews', CLUSTER_ID: 'c1', NETWORK: 'n1' }),
    { workloadName: 'reviews-v1', serviceAccount: 'bookinfo-reviews', clusterId: 'c1', network: 'n1' },
  ],
  [
    'bound ports',
    withMetadata({
      INTERCEPTION_MODE: 'NONE',
      HTTP_PROXY_PORT: 15007,
      SEINE_APP_PORTS: '9080=19080, 9443=19443',
      SEINE_OUTBOUND_CIDR: '127.4.7.0/24',
    }),
    {
      interceptionMode: 'NONE',
      httpProxyPort: 15007,
      appPorts: new Map([
        [9080, 19080],
        [9443, 19443],
      ]),
      outboundCidr: '127.4.7.0/24',
    },
  ],
  ['DNS capture', withMetadata({ DNS_CAPTURE: true }), { dnsCapture: true }],
  ['an Envoy with WebAssembly', { id, extensions: [{ name: 'envoy.wasm.runtime.v8' }] }, { lacksWasm: false }],
  ['an Envoy without WebAssembly', { id, extensions: [{ name: 'envoy.filters.http.wasm' }] }, { lacksWasm: true }],
  [
    'an Envoy whose WebAssembly is off',
    { id, extensions: [{ name: 'envoy.wasm.runtime.v8', disabled: true }] },
    { lacksWasm: true },
  ],
  ['a client that does not say what it is made of', { id }, { lacksWasm: false }],
  ['the version of an Envoy', { id, ...envoy }, { envoyVersion: '1.40.2' }],
  [
    'a locality',
    { id, locality: { region: 'r', zone: 'z', subZone: 's' } },
    { locality: { region: 'r', zone: 'z', subzone: 's' } },
  ],
  [
    'a gRPC library with any id',
    {
      id: 'client.7',
      userAgentName: 'gRPC Node Pure JS',
      userAgentVersionType: { case: 'userAgentVersion', value: '1.13.0' },
    },
    { proxyless: true, name: 'client.7', namespace: 'default', ipAddresses: [], envoyVersion: '' },
  ],
  [
    'a gRPC library with metadata',
    { id, metadata: { GENERATOR: 'grpc', NAMESPACE: 'shop' } },
    { proxyless: true, name: 'reviews-v1-abc', namespace: 'shop' },
  ],
];

const refused: [string, NodeInit | undefined, RegExp][] = [
  ['no node', undefined, /node\.id is missing/],
  ['no id', {}, /node\.id is missing/],
  ['a made-up id', { id: 'banana' }, /"banana" is malformed; expected type~ip~name/],
  ['too many parts', { id: `${id}~x` }, /malformed/],
  ['an unknown type', { id: id.replace('sidecar', 'toaster') }, /unknown type "toaster"; expected sidecar or router/],
  ['a bad address', { id: id.replace('10.1.2.3', '10.1.2.999') }, /"10\.1\.2\.999", which is no IP address/],
  ['no address', { id: id.replace('10.1.2.3', '') }, /no IP address, neither in its id nor in metadata/],
  ['no name', { id: 'sidecar~10.1.2.3~~d' }, /has no name/],
  ['a bad mode', withMetadata({ INTERCEPTION_MODE: 'MAYBE' }), /INTERCEPTION_MODE "MAYBE"; expected REDIRECT/],
  ['a bad proxy port', withMetadata({ HTTP_PROXY_PORT: '99999' }), /HTTP_PROXY_PORT "99999"; expected a port/],
  ['bad application ports', withMetadata({ SEINE_APP_PORTS: '9080' }), /SEINE_APP_PORTS "9080"; expected pairs/],
  ['a bad block', withMetadata({ SEINE_OUTBOUND_CIDR: '127.0.0.0/99' }), /SEINE_OUTBOUND_CIDR/],
];

describe('parseNode', () => {
  it.each(readable)('reads %s', (_name, init, expected) => {
    expect(parse(init)).toMatchObject({ proxy: expected });
  });

  it.each(refused)('refuses %s', (_name, init, message) => {
    const parsed = init === undefined ? parseNode(undefined) : parse(init);
    expect(parsed).toEqual({ error: expect.stringMatching(message) });
  });

  it('repeats only the start of an oversized id', () => {
    const parsed = parse({ id: 'x'.repeat(1_000_000) });
    expect('error' in parsed && parsed.error.length).toBeLessThan(300);
  });

  it('freezes what it returns', () => {
    const parsed = parse({ id, metadata: { LABELS: { app: 'a' } } });
    if (!('proxy' in parsed)) throw new Error(parsed.error);
    const { proxy } = parsed;
    expect([proxy, proxy.labels, proxy.locality, proxy.ipAddresses].every((part) => Object.isFrozen(part))).toBe(true);
  });
});
