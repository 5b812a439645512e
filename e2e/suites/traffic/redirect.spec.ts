import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, TestMesh } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());

it.each<[string, unknown, string, number, string]>([
  ['the whole path', { uri: '/new' }, '/old/x', 301, 'http://reviews:8080/new'],
  ['the authority', { authority: 'other.example.com' }, '/old/x?q=1', 301, 'http://other.example.com/old/x?q=1'],
  ['with a code', { uri: '/new', redirectCode: 308 }, '/old', 308, 'http://reviews:8080/new'],
  ['the scheme', { scheme: 'https', redirectCode: 302 }, '/old', 302, 'https://reviews:8080/old'],
  ['the port', { port: 9443 }, '/old', 301, 'http://reviews:9443/old'],
])('redirects %s', async (_, redirect, target, status, location) => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ match: [{ uri: { prefix: '/old' } }], redirect }]));
  const reply = await mesh.call(`http://reviews:8080${target}`);
  expect(reply.status).toBe(status);
  expect(reply.headers.location).toBe(location);
  expect(mesh.echo('reviews-v1').seen).toEqual([]);
});
