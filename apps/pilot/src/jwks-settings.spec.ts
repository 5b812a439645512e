import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { type JwksKeys } from '@seine/jwks-fetch';
import { TokenIssuer } from '@seine/jwks-fetch/testing';
import { UsageError } from '@seine/nest';
import { jwksKeys, jwksSettings, type JwksSettings } from './jwks-settings.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-jwks-'));
const file = (name: string, text: string): string => {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};
afterAll(() => fs.rmSync(folder, { recursive: true }));

describe('jwksSettings', () => {
  it('are Istio’s unless something else is said', () => {
    expect(jwksSettings({}, {})).toEqual({ allow: [], block: [], root: undefined, refreshMs: 20 * 60_000 });
  });

  it('come from the variables that istiod reads, and from flags before them', () => {
    const env = { BLOCKED_CIDRS_IN_JWKS_URIS: '10.0.0.0/8, fd00::/8,', PILOT_JWT_PUB_KEY_REFRESH_INTERVAL: '1m30s' };
    expect(jwksSettings({}, env)).toMatchObject({ block: ['10.0.0.0/8', 'fd00::/8'], refreshMs: 90_000 });
    expect(jwksSettings({}, { SEINE_JWKS_ALLOW: '127.0.0.0/8' })).toMatchObject({ allow: ['127.0.0.0/8'] });
    const flags = { 'jwks-block': ['10.1.0.0/16'], 'jwks-allow': ['127.0.0.1'], 'jwks-refresh': '1s' };
    expect(jwksSettings(flags, env)).toMatchObject({ allow: ['127.0.0.1'], block: ['10.1.0.0/16'], refreshMs: 1000 });
  });

  it('read authorities', () => {
    const [pem = ''] = tls.rootCertificates;
    expect(jwksSettings({ 'jwks-root': file('root.pem', pem) }, {}).root).toBe(pem);
  });

  it.each([
    ['a block that is none', { 'jwks-allow': ['here'] }, '"here" is no address and no block as 10.0.0.0/8'],
    ['an interval that is none', { 'jwks-refresh': 'soon' }, '--jwks-refresh takes a time as 20m'],
    ['an interval that would be a storm', { 'jwks-refresh': '10ms' }, 'of at least 1s'],
    ['authorities that are not there', { 'jwks-root': path.join(folder, 'none') }, 'ENOENT'],
    ['authorities that are none', { 'jwks-root': file('empty.pem', 'nothing') }, 'there is no certificate in'],
  ])('refuse %s', (_what, flags, message) => {
    expect(() => jwksSettings(flags, {})).toThrow(UsageError);
    expect(() => jwksSettings(flags, {})).toThrow(message);
  });
});

describe('jwksKeys', () => {
  const issuer = new TokenIssuer();
  beforeAll(() => issuer.listen());
  afterAll(() => issuer.close());

  const rule = (jwksUri: string): ReadonlyMap<string, readonly ConfigObject[]> =>
    new Map([
      [
        'RequestAuthentication',
        [
          {
            apiVersion: 'security.istio.io/v1',
            kind: 'RequestAuthentication',
            metadata: { name: 'a', namespace: 'default' },
            spec: { jwtRules: [{ issuer: 'me', jwksUri }] },
          },
        ],
      ],
    ]);

  /** How it stands with the keys at an address, once they have been looked for. */
  async function tried(settings: Partial<JwksSettings>, uri: string) {
    let keys: JwksKeys | undefined;
    await new Promise<void>((resolve) => {
      keys = jwksKeys(
        { ...jwksSettings({}, {}), ...settings },
        { later: () => () => undefined, onChange: resolve, fetched: undefined },
      );
      keys.follow(rule(uri));
    });
    return keys?.status()[0];
  }

  it('J-13: are fetched from loopback only where that is asked for', async () => {
    expect(await tried({}, issuer.jwksUri)).toMatchObject({
      state: 'failed',
      message: '127.0.0.1 is a loopback address, from which pilot fetches no keys',
    });
    expect(await tried({}, `http://localhost:${issuer.port}/keys`)).toMatchObject({ state: 'failed' });
    expect(issuer.asked).toEqual([]);
    expect(await tried({ allow: ['127.0.0.0/8'] }, issuer.jwksUri)).toMatchObject({ state: 'ready', keys: 1 });
  });

  it('J-13: are not fetched from this machine by its other addresses either', async () => {
    const own = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
    const outward = own.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    // On a machine without a network there is none to be asked by.
    if (outward === undefined) return;
    expect((await tried({}, `http://${outward}:${issuer.port}/keys`))?.message).toContain('an address of pilot itself');
  });
});
