import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { httpRoutesYaml, type RequestOptions, type Seen, subsetsYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({
    workloads: [{ name: 'reviews-v1' }, { name: 'reviews-v2' }],
    config: { subsets: subsetsYaml('reviews', ['v1', 'v2']) },
  });
});
afterAll(() => mesh.stop());

type Try = [target: string, matches: boolean, options?: RequestOptions];
const header = (name: string, value: string): RequestOptions => ({ headers: { [name]: value } });

it.each<[string, unknown, Try[]]>([
  [
    'uri exact',
    { uri: { exact: '/a' } },
    [
      ['/a', true],
      ['/a?q=1', true],
      ['/a/', false],
      ['/ab', false],
      ['/A', false],
    ],
  ],
  [
    'uri prefix',
    { uri: { prefix: '/a' } },
    [
      ['/a', true],
      ['/a/b', true],
      ['/abc', true],
      ['/b', false],
    ],
  ],
  [
    'uri prefix with a slash at its end',
    { uri: { prefix: '/a/' } },
    [
      ['/a/b', true],
      ['/abc', false],
    ],
  ],
  [
    'uri regex',
    { uri: { regex: '/v[0-9]+/.*' } },
    [
      ['/v1/x', true],
      ['/v12/', true],
      ['/vx/', false],
      ['/a/v1/x', false],
    ],
  ],
  [
    'ignoreUriCase',
    { uri: { prefix: '/Login' }, ignoreUriCase: true },
    [
      ['/lOGIN/x', true],
      ['/log', false],
    ],
  ],
  [
    'header exact',
    { headers: { 'end-user': { exact: 'jason' } } },
    [
      ['/', true, header('end-user', 'jason')],
      ['/', false, header('end-user', 'jasons')],
      ['/', false],
    ],
  ],
  [
    'header prefix',
    { headers: { 'end-user': { prefix: 'ja' } } },
    [
      ['/', true, header('end-user', 'jason')],
      ['/', false, header('end-user', 'xja')],
    ],
  ],
  [
    'header regex',
    { headers: { cookie: { regex: '^(.*?;)?(user=jason)(;.*)?$' } } },
    [
      ['/', true, header('cookie', 'a=b;user=jason;c=d')],
      ['/', false, header('cookie', 'user=jasonx')],
    ],
  ],
  [
    'header presence',
    { headers: { 'x-debug': {} } },
    [
      ['/', true, header('x-debug', 'anything')],
      ['/', false],
    ],
  ],
  [
    'withoutHeaders',
    { withoutHeaders: { 'x-debug': { exact: '1' } } },
    [
      ['/', true],
      ['/', true, header('x-debug', '2')],
      ['/', false, header('x-debug', '1')],
    ],
  ],
  [
    'queryParams exact',
    { queryParams: { q: { exact: '1' } } },
    [
      ['/?q=1', true],
      ['/?a=2&q=1', true],
      ['/?q=12', false],
      ['/', false],
    ],
  ],
  [
    'queryParams regex',
    { queryParams: { q: { regex: '[0-9]+' } } },
    [
      ['/?q=12', true],
      ['/?q=x', false],
    ],
  ],
  [
    'queryParams prefix',
    { queryParams: { q: { prefix: 'ab' } } },
    [
      ['/?q=abc', true],
      ['/?q=b', false],
    ],
  ],
  [
    'method',
    { method: { exact: 'POST' } },
    [
      ['/', true, { method: 'POST' }],
      ['/', false],
      ['/', false, { method: 'PUT' }],
    ],
  ],
  ['authority', { authority: { exact: 'reviews:8080' } }, [['/', true]]],
  ['authority of another host', { authority: { prefix: 'ratings' } }, [['/', false]]],
  ['scheme', { scheme: { exact: 'http' } }, [['/', true]]],
  ['port', { port: 8080 }, [['/', true]]],
  ['another port', { port: 8081 }, [['/', false]]],
  ['sourceLabels', { sourceLabels: { app: 'client' } }, [['/', true]]],
  ['sourceLabels of another workload', { sourceLabels: { app: 'other' } }, [['/', false]]],
  ['sourceNamespace', { sourceNamespace: 'default' }, [['/', true]]],
  ['another sourceNamespace', { sourceNamespace: 'other' }, [['/', false]]],
  ['the gateway mesh', { gateways: ['mesh'] }, [['/', true]]],
  ['another gateway', { gateways: ['ingress'] }, [['/', false]]],
  [
    'uri and header together',
    { uri: { prefix: '/a' }, headers: { x: { exact: '1' } } },
    [
      ['/a', true, header('x', '1')],
      ['/a', false],
      ['/', false, header('x', '1')],
    ],
  ],
])('matches by %s', async (_, match, tries) => {
  const gateways = JSON.stringify(match).includes('ingress') ? { gateways: ['mesh', 'ingress'] } : {};
  const routes = [{ match: [match], route: [to('reviews', 'v2')] }, { route: [to('reviews', 'v1')] }];
  await mesh.apply('reviews', httpRoutesYaml('reviews', routes, gateways));
  for (const [target, matches, options] of tries) {
    const { status, body } = await mesh.call(`http://reviews:8080${target}`, options);
    expect([target, status]).toEqual([target, 200]);
    expect([target, (JSON.parse(body) as Seen).workload]).toEqual([target, matches ? 'reviews-v2' : 'reviews-v1']);
  }
});

it('takes any of several matches, and the first route that matches', async () => {
  await mesh.apply(
    'reviews',
    httpRoutesYaml('reviews', [
      { match: [{ uri: { exact: '/one' } }, { headers: { x: { exact: '2' } } }], route: [to('reviews', 'v2')] },
      { match: [{ uri: { prefix: '/one' } }], directResponse: { status: 418 } },
      { route: [to('reviews', 'v1')] },
    ]),
  );
  const workload = async (target: string, options?: RequestOptions) =>
    (JSON.parse((await mesh.call(`http://reviews:8080${target}`, options)).body) as Seen).workload;
  expect(await workload('/one')).toBe('reviews-v2');
  expect(await workload('/two', header('x', '2'))).toBe('reviews-v2');
  expect((await mesh.call('http://reviews:8080/one/more')).status).toBe(418);
  expect(await workload('/')).toBe('reviews-v1');
});
