import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());

it.each<[unknown, number, string]>([
  [{ status: 503, body: { string: 'closed' } }, 503, 'closed'],
  [{ status: 200, body: { bytes: Buffer.from('{"a":1}').toString('base64') } }, 200, '{"a":1}'],
  [{ status: 204 }, 204, ''],
])('answers in place of the service: %j', async (directResponse, status, body) => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ directResponse }]));
  expect(await mesh.call('http://reviews:8080/')).toMatchObject({ status, body });
  expect(mesh.echo('reviews-v1').seen).toEqual([]);
});
