import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { many, rawGet, rawRequest, type Seen, TestMesh } from '../../src/index.js';
import { meshConfigYaml, policyYaml } from './policy-yaml.js';
import { pathVariants } from './path-variants.js';

jest.setTimeout(300_000);
let mesh: TestMesh;
let address: string;
beforeAll(async () => {
  mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1', sidecar: true }] });
  address = mesh.workloads.get('reviews-v1')?.address ?? '';
});
afterAll(() => mesh.stop());
beforeEach(() => mesh.resetUpstreams());

const variants = pathVariants('/admin');

/** How servers read a path, the most generous of them: decoded twice, slashes of all kinds merged, parameters dropped. */
function generously(path: string): string {
  let text = path.split(/[?#]/)[0] ?? '';
  for (let i = 0; i < 2; i++)
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const parts: string[] = [];
  for (const part of text
    .replaceAll('\\', '/')
    .split('/')
    .map((item) => item.split(';')[0] ?? '')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

async function ask(target: string): Promise<{ readonly status: number; readonly forwarded: string | undefined }> {
  const { status, body } = await rawRequest(address, 8080, rawGet(target, { host: 'reviews' }));
  return { status, forwarded: status === 200 ? (JSON.parse(body) as Seen).path : undefined };
}

const operation = (spec: object) => ({ rules: [{ to: [{ operation: spec }] }] });
const policies = {
  'DENY /admin*': policyYaml('paths', { action: 'DENY', ...operation({ paths: ['/admin*'] }) }),
  'ALLOW all but /admin*': policyYaml('paths', operation({ notPaths: ['/admin*'] })),
  'DENY the template /admin/{**}, and /admin': policyYaml('paths', {
    action: 'DENY',
    ...operation({ paths: ['/admin', '/admin/', '/admin/{**}'] }),
  }),
};

it('has many variants', () => {
  expect(new Set(variants).size).toBeGreaterThanOrEqual(500);
});

describe.each(Object.entries(policies))('A-15, A-16: under %s', (_name, policy) => {
  it('no spelling of /admin gets through that a server might read as /admin', async () => {
    await mesh.apply('policies', policy);
    expect(await ask('/open')).toEqual({ status: 200, forwarded: '/open' });
    const answers = await many(
      variants.length,
      async (i) => ({ target: variants[i]!, ...(await ask(variants[i]!)) }),
      4,
    );
    const through = answers.filter(({ status }) => status !== 403 && status !== 400);
    // What gets through is forwarded as another path, by anybody's reading.
    expect(through.filter(({ forwarded = '/admin' }) => /^\/admin(\/|$)/.test(generously(forwarded)))).toEqual([]);
    // The verdict, and not an accident: the plain ones are refused as /admin is.
    expect(answers.filter(({ status }) => status === 403).length).toBeGreaterThan(50);
  });
});

describe.each(['BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'] as const)(
  'A-16: with pathNormalization %s',
  (normalization) => {
    it('what is forwarded is what was judged', async () => {
      await mesh.apply('mesh-config', meshConfigYaml({ pathNormalization: { normalization } }));
      await mesh.apply('policies', policies['DENY /admin*']);
      const answers = await many(
        variants.length,
        async (i) => ({ target: variants[i]!, ...(await ask(variants[i]!)) }),
        4,
      );
      expect(answers.filter(({ forwarded }) => forwarded?.startsWith('/admin'))).toEqual([]);
      const forwardedAs = async (target: string) => {
        const { status, forwarded } = await ask(target);
        return forwarded ?? status;
      };
      const found = await Promise.all(
        ['/a/../admin', '//admin', '/x//y', '/x%2fy', '/%2fadmin', '/x%5Cy'].map(forwardedAs),
      );
      expect(found).toEqual(
        {
          BASE: [403, '//admin', '/x//y', '/x%2fy', '/%2fadmin', '/x%5Cy'],
          MERGE_SLASHES: [403, 403, '/x/y', '/x%2fy', '/%2fadmin', '/x%5Cy'],
          DECODE_AND_MERGE_SLASHES: [403, 403, '/x/y', '/x/y', 403, '/x/y'],
        }[normalization],
      );
    });
  },
);

it('A-16: with pathNormalization NONE paths are judged and forwarded as they come', async () => {
  await mesh.apply('mesh-config', meshConfigYaml({ pathNormalization: { normalization: 'NONE' } }));
  await mesh.apply('policies', policies['DENY /admin*']);
  expect(await ask('/a/../admin')).toEqual({ status: 200, forwarded: '/a/../admin' });
  expect(await ask('/admin')).toEqual({ status: 403, forwarded: undefined });
});
