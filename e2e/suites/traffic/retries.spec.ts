import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { type Answer, httpRoutesYaml, TestMesh, to } from '../../src/index.js';

jest.setTimeout(180_000);
let mesh: TestMesh;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1' }] });
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const backoff = '1ms';

it.each<[string, unknown, Answer, number, number, number]>([
  // What is set, how the upstream answers, for how many calls; the status for the client and the calls upstream.
  ['3 attempts of 5xx, 2 failures', { attempts: 3, retryOn: '5xx', backoff }, { status: 500 }, 2, 200, 3],
  ['3 attempts of 5xx, 9 failures', { attempts: 3, retryOn: '5xx', backoff }, { status: 500 }, 9, 500, 4],
  ['1 attempt of 5xx, 1 failure', { attempts: 1, retryOn: '5xx', backoff }, { status: 502 }, 1, 200, 2],
  ['0 attempts', { attempts: 0 }, { status: 503 }, 9, 503, 1],
  ['a status in retryOn', { attempts: 2, retryOn: '418', backoff }, { status: 418 }, 1, 200, 2],
  ['gateway-error and a 500', { attempts: 2, retryOn: 'gateway-error', backoff }, { status: 500 }, 9, 500, 1],
  ['reset', { attempts: 2, retryOn: 'reset', backoff }, { reset: true }, 2, 200, 3],
  ['perTryTimeout', { attempts: 1, perTryTimeout: '0.2s', retryOn: '5xx', backoff }, { delayMs: 1000 }, 1, 200, 2],
  ['the default and a 500', undefined, { status: 500 }, 9, 500, 1],
])('with %s', async (_, retries, failure, failures, status, upstream) => {
  await mesh.apply('reviews', httpRoutesYaml('reviews', [{ retries, route: [to('reviews')] }]));
  const echo = mesh.echo('reviews-v1');
  echo.answer = () => (echo.count() <= failures ? failure : {});
  expect((await mesh.call('http://reviews:8080/')).status).toBe(status);
  expect(echo.count()).toBe(upstream);
});
