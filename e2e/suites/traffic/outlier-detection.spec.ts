import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { poll } from '@seine/testing';
import { many, subsetsYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
const url = 'http://reviews:8080/';
let mesh: TestMesh;
beforeAll(async () => {
  const outlierDetection = {
    consecutive5xxErrors: 3,
    interval: '0.2s',
    baseEjectionTime: '2s',
    maxEjectionPercent: 50,
  };
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }],
    config: { subsets: subsetsYaml('reviews', ['v1', 'v2'], { outlierDetection }) },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

interface Clusters {
  readonly cluster_statuses: readonly {
    readonly name: string;
    readonly host_statuses?: readonly {
      readonly address: { readonly socket_address: { readonly address: string } };
      readonly health_status: { readonly failed_outlier_check?: boolean };
    }[];
  }[];
}

const ejected = async () => {
  const { cluster_statuses } = await mesh.client.adminJson<Clusters>('/clusters?format=json');
  const cluster = cluster_statuses.find(({ name }) => name === 'outbound|8080||reviews.default.svc.cluster.local');
  return (cluster?.host_statuses ?? [])
    .filter(({ health_status }) => health_status.failed_outlier_check)
    .map(({ address }) => address.socket_address.address);
};

it('ejects a host that fails, sends it nothing, and takes it back', async () => {
  mesh.echo('reviews-v2').answer = () => ({ status: 500 });
  await poll(async () => {
    await many(4, () => mesh.call(url), 1);
    return (await ejected()).length > 0;
  }, 'the failing host to be ejected');
  expect(await ejected()).toEqual([mesh.workloads.get('reviews-v2')?.address]);
  const replies = await many(10, () => mesh.call(url));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  mesh.resetUpstreams();
  await poll(async () => (await ejected()).length === 0, 'the host to be taken back', 30_000);
  const counts = await mesh.split(100, url);
  expect(Object.keys(counts).sort()).toEqual(['reviews-v1', 'reviews-v2']);
});
