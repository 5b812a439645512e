import { create, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { type Node, NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { falseClaim } from './node-identity.js';
import { parseNode } from './parse-node.js';

const verified = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'reviews' };
const plain = 'sidecar~10.0.0.1~reviews-v1.default~default.svc.cluster.local';
const nodeOf = (id: string, metadata: JsonObject = {}): Node => create(NodeSchema, { id, metadata });

describe('what a node claims to be', () => {
  it.each([
    [plain, {}],
    [plain, { NAMESPACE: 'default', SERVICE_ACCOUNT: 'reviews' }],
    ['sidecar~10.0.0.1~reviews.v1.default~default.svc.cluster.local', { NAMESPACE: 'default' }],
    ['router~10.0.0.1~gateway~any', {}],
    ['any-id-of-a-grpc-library', {}],
    [plain, { NAMESPACE: '' }],
  ])('is true of %s %j', (id, metadata) => {
    expect(falseClaim(nodeOf(id, metadata), verified)).toBeUndefined();
  });

  it.each([
    ['sidecar~10.0.0.1~reviews-v1.other~default.svc.cluster.local', {}, '"other" in its id'],
    ['sidecar~10.0.0.1~reviews-v1.default.~default.svc.cluster.local', {}, undefined],
    [plain, { NAMESPACE: 'other' }, '"other" in metadata NAMESPACE'],
    [plain, { NAMESPACE: 'Default' }, '"Default" in metadata NAMESPACE'],
    [plain, { NAMESPACE: 0 }, '"0" in metadata NAMESPACE'],
    [plain, { SERVICE_ACCOUNT: 'admin' }, '"admin" in metadata SERVICE_ACCOUNT'],
    ['any-id', { NAMESPACE: 'other' }, '"other" in metadata NAMESPACE'],
  ])('X-33: is false of %s %j', (id, metadata, complaint) => {
    const found = falseClaim(nodeOf(id, metadata), verified);
    if (complaint === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(`claims ${complaint}; its client has proved to be default/reviews`);
    const parsed = parseNode(nodeOf(id, metadata), verified);
    expect('error' in parsed && parsed.isFalse).toBe(complaint !== undefined);
  });

  it('gives way to what is proved where it says nothing', () => {
    const parsed = parseNode(nodeOf('sidecar~10.0.0.1~reviews-v1~other.svc.cluster.local'), verified);
    expect(parsed).toMatchObject({
      proxy: { namespace: 'default', serviceAccount: 'reviews', verifiedIdentity: verified },
    });
    expect(parseNode(nodeOf(plain))).not.toHaveProperty('proxy.verifiedIdentity');
  });
});
