import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, subsetsYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }],
    config: { subsets: subsetsYaml('reviews', ['v1', 'v2']) },
  });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const operations = {
  request: { set: { 'x-set': 'new', 'x-new': 'made' }, add: { 'x-add': 'second' }, remove: ['x-remove'] },
  response: { set: { 'x-served-by': 'seine' }, add: { 'x-extra': 'yes' }, remove: ['x-secret'] },
};
const sent = { headers: { 'x-set': 'old', 'x-add': 'first', 'x-remove': 'gone' } };

describe.each([
  ['of a route', [{ headers: operations, route: [to('reviews', 'v1')] }]],
  ['of a destination', [{ route: [{ ...to('reviews', 'v1'), headers: operations }] }]],
])('header operations %s', (_, http) => {
  it('change what the upstream sees and what the client gets', async () => {
    await mesh.apply('reviews', httpRoutesYaml('reviews', http));
    const echo = mesh.echo('reviews-v1');
    echo.answer = () => ({ headers: { 'x-secret': '1', 'x-served-by': 'app' } });
    const reply = await mesh.call('http://reviews:8080/', sent);
    expect(echo.seen[0]?.headers).toMatchObject({ 'x-set': 'new', 'x-new': 'made', 'x-add': 'first, second' });
    expect(echo.seen[0]?.headers).not.toHaveProperty('x-remove');
    expect(reply.headers).toMatchObject({ 'x-served-by': 'seine', 'x-extra': 'yes' });
    expect(reply.headers).not.toHaveProperty('x-secret');
  });
});

it('are a destination’s own in a split', async () => {
  const marked = (subset: string) => ({
    ...to('reviews', subset, 50),
    headers: { request: { set: { 'x-subset': subset } } },
  });
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ route: [marked('v1'), marked('v2')] }]));
  await mesh.split(60, 'http://reviews:8080/');
  for (const subset of ['v1', 'v2']) {
    const { seen } = mesh.echo(`reviews-${subset}`);
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen.map(({ headers }) => headers['x-subset']))).toEqual(new Set([subset]));
  }
});

it('set the Host header by its name', async () => {
  const headers = { request: { set: { Host: 'elsewhere.example.com' } } };
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ headers, route: [to('reviews', 'v1')] }]));
  await mesh.call('http://reviews:8080/');
  expect(mesh.echo('reviews-v1').seen[0]?.headers['host']).toBe('elsewhere.example.com');
});
