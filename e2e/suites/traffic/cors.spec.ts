import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }],
    config: {
      reviews: httpRoutesYaml('reviews', [
        {
          corsPolicy: {
            allowOrigins: [{ exact: 'https://example.com' }, { regex: 'https://.*\\.example\\.org' }],
            allowMethods: ['POST', 'GET'],
            allowHeaders: ['x-foo'],
            exposeHeaders: ['x-bar'],
            allowCredentials: true,
            maxAge: '24h',
          },
          route: [to('reviews')],
        },
      ]),
    },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const preflight = (origin: string) =>
  mesh.call('http://reviews:8080/', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });

it.each(['https://example.com', 'https://a.example.org'])('answers the preflight of %s itself', async (origin) => {
  const { status, headers } = await preflight(origin);
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST,GET',
    'access-control-allow-headers': 'x-foo',
    'access-control-max-age': '86400',
    'access-control-allow-credentials': 'true',
  });
  expect(mesh.echo('reviews-v1').count()).toBe(0);
});

it('gives another origin no permission', async () => {
  const { headers } = await preflight('https://evil.example.net');
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});

it('marks the answer of an actual request', async () => {
  const { headers } = await mesh.call('http://reviews:8080/', { headers: { origin: 'https://example.com' } });
  expect(headers).toMatchObject({
    'access-control-allow-origin': 'https://example.com',
    'access-control-expose-headers': 'x-bar',
  });
});
