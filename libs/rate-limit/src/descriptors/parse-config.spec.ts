import { describe, expect, it } from '@jest/globals';
import { parseRateLimitConfig } from './parse-config.js';

const limit = { unit: 'second', requests_per_unit: 1 };

describe('a rate limit config', () => {
  it.each<[string, unknown, string, string]>([
    ['nothing', null, '', 'domain and descriptors'],
    ['no domain', { descriptors: [] }, 'domain', 'must be the name'],
    ['descriptors that are no list', { domain: 'a', descriptors: {} }, 'descriptors', 'must be a list'],
    ['no key', { domain: 'a', descriptors: [{ value: 'x' }] }, 'descriptors[0].key', 'must be the key'],
    [
      'a value that is no text',
      { domain: 'a', descriptors: [{ key: 'k', value: 1 }] },
      'descriptors[0].value',
      'quotes',
    ],
    [
      'R-13: a key twice',
      { domain: 'a', descriptors: [{ key: 'k' }, { key: 'k', rate_limit: limit }] },
      'descriptors[1]',
      'k is there already',
    ],
    [
      'R-13: a prefix twice',
      {
        domain: 'a',
        descriptors: [
          { key: 'k', value: 'x*' },
          { key: 'k', value: 'x*' },
        ],
      },
      'descriptors[1]',
      'k=x* is there already',
    ],
    [
      'R-13: an unknown unit, deep inside',
      {
        domain: 'a',
        descriptors: [{ key: 'k', descriptors: [{ key: 'l', rate_limit: { ...limit, unit: 'blink' } }] }],
      },
      'descriptors[0].descriptors[0].rate_limit.unit',
      'one of second, minute',
    ],
    [
      'a flag that is no flag',
      { domain: 'a', descriptors: [{ key: 'k', rate_limit: { ...limit, local_fallback: 'yes' } }] },
      'descriptors[0].rate_limit.local_fallback',
      'true or false',
    ],
    [
      'a fraction of a request',
      { domain: 'a', descriptors: [{ key: 'k', rate_limit: { ...limit, requests_per_unit: 0.5 } }] },
      'descriptors[0].rate_limit.requests_per_unit',
      'whole number',
    ],
    [
      'a unit of what is unlimited',
      { domain: 'a', descriptors: [{ key: 'k', rate_limit: { unit: 'second', unlimited: true } }] },
      'descriptors[0].rate_limit.unit',
      'leave it out',
    ],
    [
      'a limit that replaces itself',
      { domain: 'a', descriptors: [{ key: 'k', rate_limit: { ...limit, name: 'n', replaces: [{ name: 'n' }] } }] },
      'descriptors[0].rate_limit.replaces[0].name',
      'another limit',
    ],
    [
      'a word that is misspelt',
      { domain: 'a', descriptors: [{ key: 'k', ratelimit: limit }] },
      'descriptors[0].ratelimit',
      'is not known',
    ],
    [
      'an algorithm that nobody knows',
      { domain: 'a', descriptors: [{ key: 'k', rate_limit: { ...limit, algorithm: 'MAGIC' } }] },
      'descriptors[0].rate_limit.algorithm',
      'FIXED_WINDOW',
    ],
  ])('with %s is refused with the field path', (_, config, path, message) => {
    const { rules, diagnostics } = parseRateLimitConfig(config);
    expect(rules).toBeUndefined();
    expect(diagnostics.map((d) => [d.path, d.severity])).toEqual([[path, 'error']]);
    expect(diagnostics[0]?.message).toContain(message);
  });

  it('says all that is wrong at once', () => {
    const config = { domain: 'a', descriptors: [{ key: '' }, { key: 'k', shadow_mode: 'yes', rate_limit: 7 }] };
    expect(parseRateLimitConfig(config).diagnostics.map(({ path }) => path)).toEqual([
      'descriptors[0].key',
      'descriptors[1].shadow_mode',
      'descriptors[1].rate_limit',
    ]);
  });

  it.each([
    ['second', 1000],
    ['MINUTE', 60_000],
    ['hour', 3_600_000],
    ['day', 86_400_000],
    ['week', 604_800_000],
    ['month', 2_592_000_000],
    ['year', 31_536_000_000],
  ])('knows %s', (unit, windowMs) => {
    const config = { domain: 'a', descriptors: [{ key: 'k', rate_limit: { unit, requests_per_unit: 1 } }] };
    const [node] = [...(parseRateLimitConfig(config).rules?.root.children.values() ?? [])];
    expect(node?.limit?.limit).toMatchObject({ windowMs });
  });
});
