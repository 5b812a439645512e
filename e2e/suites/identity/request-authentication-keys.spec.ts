import fs from 'node:fs';
import type { ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { signingKey, TokenIssuer, tokenOf } from '@seine/jwks-fetch/testing';
import { poll } from '@seine/testing';
import { freePort, TestAuthority } from '../../src/index.js';
import { security, TokenMesh, tokenRules } from './token-mesh.js';

jest.setTimeout(180_000);
const issuer = new TokenIssuer();
const other = new TokenIssuer();
issuer.keys.push(signingKey('ES256'));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-jwks-'));
let authority: TestAuthority;
let tokens: TokenMesh;

beforeAll(async () => {
  await Promise.all([issuer.listen(), other.listen()]);
  authority = new TestAuthority(path.join(folder, 'authority'));
  const root = path.join(folder, 'root.pem');
  fs.writeFileSync(root, authority.certificate);
  tokens = await TokenMesh.start('--jwks-root', root);
});
afterAll(async () => {
  await tokens.mesh.stop();
  await Promise.all([issuer.close(), other.close()]);
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  tokens.mesh.resetUpstreams();
  issuer.answer = undefined;
});

describe('keys', () => {
  const good = issuer.keys;
  afterEach(() => {
    issuer.keys = good;
  });
  const inForce = async (): Promise<string> =>
    await tokens.mesh.pilot.admin('/debug/config_dump?proxyID=reviews-v1.default');
  const refused = async () => (await tokens.mesh.envoy('reviews-v1').rejections()).count;

  it('J-9: of a provider that is down are missing for its tokens alone, and come when it does', async () => {
    const late = new TokenIssuer();
    const port = await freePort();
    const at = `http://127.0.0.1:${port}`;
    await tokens.apply(
      tokenRules({ issuer: at, jwksUri: `${at}/keys` }, { issuer: issuer.issuer, jwksUri: issuer.jwksUri }),
    );
    const lateToken = () => tokenOf(late.keys[0]!, issuer.claims({ iss: at }));
    expect(await tokens.status(lateToken())).toBe(401);
    expect(await tokens.status(undefined)).toBe(200);
    expect(await tokens.status(issuer.token())).toBe(200);
    expect(await refused()).toBe(0);
    expect(await inForce()).toContain('\\"kid\\":\\"nobody\\"');
    expect(await tokens.mesh.pilot.admin('/debug/diagnostics')).toContain(`${at} does not answer`);
    expect(await tokens.mesh.pilot.metric('pilot_jwks_resolver_network_fetch_fail_total')).toBeGreaterThan(0);
    expect(await tokens.mesh.pilot.metric('pilot_jwks_resolver_network_fetch_success_total')).toBeGreaterThan(0);
    await late.listen(port);
    await tokens.untilStatus(lateToken, 200);
    expect(await refused()).toBe(0);
    await late.close();
  });

  it('are found through the issuer where no address is stated', async () => {
    await tokens.apply(tokenRules({ issuer: issuer.issuer }));
    await tokens.untilStatus(() => issuer.token(), 200);
    expect(await tokens.sources()).toMatchObject([{ source: issuer.issuer, jwksUri: issuer.jwksUri, state: 'ready' }]);
  });

  it('are fetched by https from whom an authority of --jwks-root vouches for, under the name that was asked for', async () => {
    const { key, cert } = authority.issue('localhost');
    const secure = await new TokenIssuer({ tls: { key: key.toString(), cert: cert.toString() } }).listen();
    const token = () => secure.token();
    try {
      await tokens.apply(tokenRules({ issuer: secure.issuer, jwksUri: `https://localhost:${secure.port}/keys` }));
      await tokens.untilStatus(token, 200);
      // Its certificate is for no address.
      await tokens.apply(tokenRules({ issuer: secure.issuer, jwksUri: secure.jwksUri }));
      expect(await tokens.status(token())).toBe(401);
      expect(await tokens.mesh.pilot.admin('/debug/diagnostics')).toContain("not in the cert's list");
    } finally {
      await secure.close();
    }
  });

  it('J-10: stay in force while they cannot be refreshed, and their age is told', async () => {
    await tokens.apply(tokenRules({ issuer: issuer.issuer, jwksUri: issuer.jwksUri }));
    expect(await tokens.status(issuer.token())).toBe(200);
    issuer.answer = (_request, response) => response.writeHead(503).end();
    await poll(async () => {
      const [source] = await tokens.sources();
      return source?.state === 'stale' && (source.ageSeconds ?? 0) >= 2;
    }, 'keys to be stale');
    expect(await tokens.status(issuer.token())).toBe(200);
    expect(await tokens.status('junk')).toBe(401);
    expect(await tokens.mesh.pilot.metric('seine_jwks_age_seconds')).toBeGreaterThan(0);
    expect(await tokens.mesh.pilot.admin('/metrics')).toContain('seine_jwks_sources{state="stale"} 1');
    expect(await tokens.mesh.pilot.admin('/debug/diagnostics')).toMatch(/HTTP status 503\. Those of .* stay in force/);
    issuer.answer = undefined;
    await poll(async () => (await tokens.sources())[0]?.state === 'ready', 'keys to be refreshed');
  });

  it('J-11: that a provider does not give keep no change from the proxies', async () => {
    const hanging: ServerResponse[] = [];
    other.answer = (_request, response) => void hanging.push(response);
    // Returns once all proxies have accepted it.
    await tokens.mesh.apply('tokens', tokenRules({ issuer: other.issuer, jwksUri: other.jwksUri, timeout: '30s' }));
    await tokens.mesh.apply(
      'more',
      security('RequestAuthentication', 'more', { jwtRules: [{ issuer: 'x', jwks: issuer.jwks }] }),
    );
    expect(await tokens.status(other.token())).toBe(401);
    await tokens.mesh.remove('more');
    expect(hanging).toHaveLength(1);
    expect(await tokens.sources()).toMatchObject([{ source: other.jwksUri, state: 'loading' }]);
    hanging.forEach((response) => response.destroy());
    other.answer = undefined;
  });

  it('J-12: are the new ones after a rotation, and unknown ones cause no fetch', async () => {
    await tokens.apply(tokenRules({ issuer: issuer.issuer, jwksUri: issuer.jwksUri }));
    const before = issuer.token();
    expect(await tokens.status(before)).toBe(200);
    issuer.keys = [signingKey('ES256')];
    const [asked, since] = [issuer.asked.length, performance.now()];
    await tokens.untilStatus(() => issuer.token(), 200);
    await poll(async () => (await tokens.status(before)) === 401, 'the former key to be out of force');
    for (let i = 0; i < 100; i++) expect(await tokens.status(issuer.token({}, { kid: `unknown-${i}` }))).toBe(401);
    // One a second, as --jwks-refresh says, however many tokens name keys that nobody knows.
    expect(issuer.asked.length - asked).toBeLessThanOrEqual((performance.now() - since) / 1000 + 1);
  });

  it('J-12: of one address are fetched once, however many rules name it', async () => {
    await tokens.apply(security('RequestAuthentication', 'none', { jwtRules: [] }));
    const asked = issuer.asked.length;
    const hanging: ServerResponse[] = [];
    issuer.answer = (_request, response) => void hanging.push(response);
    const many = Array.from({ length: 50 }, (_, i) => ({
      issuer: `issuer-${i}`,
      jwksUri: issuer.jwksUri,
      timeout: '30s',
    }));
    await tokens.mesh.apply('tokens', tokenRules(...many));
    await poll(() => issuer.asked.length > asked, 'a fetch');
    await tokens.mesh.apply('tokens', tokenRules(...many.slice(1)));
    expect(issuer.asked.length).toBe(asked + 1);
    hanging.forEach((response) => response.destroy());
  });

  it.each([
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/', 'is a link-local address'],
    ['link-local', 'http://[fe80::1]/keys', 'is a link-local address'],
    ['nowhere', 'http://0.0.0.0:15014/debug/config_dump', 'is no address of a host'],
  ])('J-13: are not fetched from %s', async (_what, jwksUri, said) => {
    await tokens.apply(tokenRules({ issuer: issuer.issuer, jwksUri }));
    expect(await tokens.mesh.pilot.admin('/debug/diagnostics')).toContain(said);
    expect(await tokens.status(issuer.token())).toBe(401);
  });

  it.each([
    [
      'of 2 MiB',
      (response: ServerResponse) => response.end(Buffer.alloc(2 * 1024 * 1024, ' ')),
      'larger than 1048576 bytes',
    ],
    [
      'that sends on to the metadata service',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'is a link-local address',
    ],
    [
      'that sends on to a file',
      (response: ServerResponse) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'neither http nor https',
    ],
    ['that is a page', (response: ServerResponse) => response.end('<html>'), 'is not JSON'],
  ])('J-13: are not taken from an answer %s', async (_what, answer, said) => {
    // Keys that are there already would stay.
    await tokens.apply(security('RequestAuthentication', 'none', { jwtRules: [] }));
    issuer.answer = (_request, response) => void answer(response);
    await tokens.apply(tokenRules({ issuer: issuer.issuer, jwksUri: issuer.jwksUri }));
    expect(await tokens.mesh.pilot.admin('/debug/diagnostics')).toContain(said);
    expect(await tokens.status(issuer.token())).toBe(401);
    issuer.answer = undefined;
    await tokens.untilStatus(() => issuer.token(), 200);
  });

  it('J-13: are refused at a URL of another scheme when it is applied', async () => {
    await tokens.applyFetched(issuer);
    tokens.mesh.write('tokens', tokenRules({ issuer: issuer.issuer, jwksUri: 'file:///etc/passwd' }));
    await poll(() => tokens.mesh.pilot.process.output.includes('spec.jwtRules[0].jwksUri'), 'an error');
    // The last good rule stays in force.
    expect([await tokens.status(issuer.token()), await tokens.status('junk')]).toEqual([200, 401]);
  });
});
