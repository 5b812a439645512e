import type { LookupAddress } from 'node:dns';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { addressRules } from './address-rules.js';
import { getDocument, maxBytes } from './get-document.js';
import { TokenIssuer } from './testing/token-issuer.js';

const issuer = new TokenIssuer();
const names = new Map<string, readonly string[]>();
/** Each name that was asked for. */
const resolved: string[] = [];

const resolve = (hostname: string): Promise<readonly LookupAddress[]> => {
  resolved.push(hostname);
  const addresses = names.get(hostname);
  return addresses
    ? Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
    : Promise.reject(new Error(`getaddrinfo ENOTFOUND ${hostname}`));
};
const rules = (...allow: readonly string[]) => addressRules({ allow, block: [], own: () => ['10.9.9.9'] });
const lenient = { resolve, refusal: rules('127.0.0.1') };
const strict = { resolve, refusal: rules() };
const get = (url: string, io = lenient, timeoutMs = 5000) => getDocument(io, url, timeoutMs);

beforeAll(() => issuer.listen());
afterAll(() => issuer.close());
beforeEach(() => {
  issuer.answer = undefined;
  issuer.asked.length = 0;
  names.clear();
  resolved.length = 0;
});

/** Answers each path by sending on to another URL. */
const redirect = (targets: Readonly<Record<string, string>>): void => {
  issuer.answer = ({ url = '' }, response) => {
    const target = targets[url];
    if (target === undefined) response.end('here');
    else response.writeHead(302, { location: target }).end('elsewhere');
  };
};

describe('getDocument', () => {
  it('gives the text at a URL', async () => {
    expect(await get(issuer.jwksUri)).toBe(issuer.jwks);
  });

  it('connects to the address that was looked at, under the name that was asked for', async () => {
    names.set('keys.example.com', ['169.254.1.1', '127.0.0.1']);
    let host: string | undefined;
    issuer.answer = (request, response) => {
      host = request.headers.host;
      response.end('here');
    };
    expect(await get(`http://keys.example.com:${issuer.port}/keys`)).toBe('here');
    expect(host).toBe(`keys.example.com:${issuer.port}`);
    // Once: a second answer of DNS could be another one.
    expect(resolved).toEqual(['keys.example.com']);
  });

  it.each([
    ['a loopback address', '127.0.0.1', 'http://127.0.0.1:PORT/keys'],
    ['a loopback address in another form', '127.0.0.1', 'http://0x7f.1:PORT/keys'],
    ['a loopback address of IPv6', '::1', 'http://[::1]:PORT/keys'],
    ['a mapped loopback address', '::ffff:7f00:1', 'http://[::ffff:127.0.0.1]:PORT/keys'],
    ['a link-local address', '169.254.169.254', 'http://169.254.169.254/latest/meta-data'],
    ['an address of pilot itself', '10.9.9.9', 'http://10.9.9.9:15014/debug/config_dump'],
    [
      'a name that stands for loopback',
      'rebind.example.com (127.0.0.1) is a loopback',
      'http://rebind.example.com:PORT/',
    ],
    ['a name that stands for the metadata service', 'meta.example.com (169.254.169.254)', 'http://meta.example.com/'],
    ['localhost', 'localhost (127.0.0.1)', 'http://localhost:PORT/keys'],
  ])('J-13: refuses %s', async (_what, said, url) => {
    names.set('rebind.example.com', ['127.0.0.1', '::1']);
    names.set('meta.example.com', ['169.254.169.254']);
    names.set('localhost', ['127.0.0.1']);
    await expect(get(url.replace('PORT', String(issuer.port)), strict)).rejects.toThrow(said);
    await expect(get(url.replace('PORT', String(issuer.port)), strict)).rejects.toThrow('pilot fetches no keys');
    expect(issuer.asked).toEqual([]);
  });

  it.each([
    ['a link-local address', 'http://169.254.169.254/', 'is a link-local address'],
    ['a name that stands for one', 'http://meta.example.com/', 'meta.example.com (169.254.169.254) is a link-local'],
    ['another scheme', 'file:///etc/passwd', 'file:///etc/passwd is neither http nor https'],
    ['what is no URL', 'http://[', 'is no URL'],
  ])('J-13: refuses a redirect to %s', async (_what, target, said) => {
    names.set('meta.example.com', ['169.254.169.254']);
    redirect({ '/keys': target });
    await expect(get(issuer.jwksUri)).rejects.toThrow(said);
  });

  it('J-13: follows a few redirects, and not more', async () => {
    redirect({ '/keys': '/1', '/1': '2', '/2': '/3' });
    expect(await get(issuer.jwksUri)).toBe('here');
    redirect({ '/keys': '/1', '/1': '/2', '/2': '/3', '/3': '/4' });
    await expect(get(issuer.jwksUri)).rejects.toThrow('redirects more than 3 times');
    redirect({ '/keys': '/keys' });
    await expect(get(issuer.jwksUri)).rejects.toThrow('redirects more than 3 times');
  });

  it.each(['file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://a/', 'data:,{}', 'keys', 'http://'])(
    'J-13: does not even look at %s',
    async (url) => {
      await expect(get(url)).rejects.toThrow(/is neither http nor https|is no URL/);
      expect(resolved).toEqual([]);
    },
  );

  it('J-13: cuts what is larger than 1 MiB', async () => {
    let written = 0;
    issuer.answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, ' '))) written += 64 * 1024;
      };
      response.on('drain', more);
      more();
    };
    await expect(get(issuer.jwksUri)).rejects.toThrow(`is larger than ${maxBytes} bytes`);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    issuer.answer = (_request, response) => response.end(Buffer.alloc(maxBytes, ' '));
    expect(await get(issuer.jwksUri)).toHaveLength(maxBytes);
  });

  it('J-13: cuts an answer that drips', async () => {
    const closed = new Promise<void>((resolve) => {
      issuer.answer = (_request, response) => {
        const drip = setInterval(() => response.write(' '), 5);
        response.on('close', () => {
          clearInterval(drip);
          resolve();
        });
      };
    });
    await expect(get(issuer.jwksUri, lenient, 100)).rejects.toThrow('broke off within 100 ms');
    await closed;
  });

  it('J-13: gives up a server that never answers, and a name that is never resolved', async () => {
    issuer.answer = () => undefined;
    await expect(get(issuer.jwksUri, lenient, 50)).rejects.toThrow('does not answer within 50 ms');
    const never = { ...lenient, resolve: () => new Promise<never>(() => undefined) };
    await expect(get('http://slow.example.com/', never, 50)).rejects.toThrow(
      'slow.example.com is not resolved within 50 ms',
    );
  });

  it('has one time for all redirects together', async () => {
    issuer.answer = ({ url = '' }, response) =>
      void setTimeout(() => response.writeHead(302, { location: `${url}a` }).end(), 60);
    await expect(get(issuer.jwksUri, lenient, 100)).rejects.toThrow('does not answer within 100 ms');
  });

  it.each([
    [503, {}, 'HTTP status 503'],
    [304, {}, 'HTTP status 304'],
    [204, {}, 'HTTP status 204'],
    [200, { 'content-encoding': 'gzip' }, 'is encoded by gzip'],
  ])('takes no answer %p with %p', async (status, headers, said) => {
    issuer.answer = (_request, response) => response.writeHead(status, headers).end();
    await expect(get(issuer.jwksUri)).rejects.toThrow(said);
  });

  it('says what keeps it from an answer', async () => {
    await expect(get('http://127.0.0.1:1/')).rejects.toThrow(/http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/);
    await expect(get('http://none.example.com/')).rejects.toThrow(
      'none.example.com cannot be resolved: getaddrinfo ENOTFOUND',
    );
    issuer.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('a');
      setTimeout(() => response.destroy(), 20);
    };
    await expect(get(issuer.jwksUri)).rejects.toThrow('broke off: aborted');
  });
});
