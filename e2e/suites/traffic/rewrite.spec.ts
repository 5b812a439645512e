import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

it.each<[string, unknown, unknown, string, string, string]>([
  ['a prefix', { uri: { prefix: '/old' } }, { uri: '/new' }, '/old/x?q=1', '/new/x?q=1', 'reviews:8080'],
  ['a prefix with /', { uri: { prefix: '/api/' } }, { uri: '/' }, '/api/x', '/x', 'reviews:8080'],
  ['an exact path', { uri: { exact: '/old' } }, { uri: '/new/page' }, '/old?q=1', '/new/page?q=1', 'reviews:8080'],
  ['the authority', { uri: { prefix: '/a' } }, { authority: 'other.example.com' }, '/a', '/a', 'other.example.com'],
  [
    'path and authority',
    { uri: { prefix: '/a' } },
    { uri: '/b', authority: 'other.example.com' },
    '/a/c',
    '/b/c',
    'other.example.com',
  ],
  [
    'by a regular expression',
    { uri: { prefix: '/service' } },
    { uriRegexRewrite: { match: '^/service/([^/]+)(/.*)$', rewrite: '\\2/instance/\\1' } },
    '/service/foo/v1/api',
    '/v1/api/instance/foo',
    'reviews:8080',
  ],
])('rewrites %s', async (_, match, rewrite, target, path, host) => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ match: [match], rewrite, route: [to('reviews')] }]));
  expect((await mesh.call(`http://reviews:8080${target}`)).status).toBe(200);
  expect(mesh.echo('reviews-v1').seen).toMatchObject([{ path, headers: { host } }]);
});
