import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA';
type Members = Readonly<Record<string, unknown>>;

/** A key that an issuer signs with. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly privateKey: KeyObject;
  /** As it is published. */
  readonly jwk: Members;
}

export function signingKey(alg: Algorithm, kid: string = randomUUID()): SigningKey {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return { kid, alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

const encode = (value: Members): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token (RFC 7515) as a key signs it. @param header replaces members of the header */
export function tokenOf({ kid, alg, privateKey }: SigningKey, claims: Members, header: Members = {}): string {
  const text = `${encode({ alg, kid, typ: 'JWT', ...header })}.${encode(claims)}`;
  const hash = alg === 'EdDSA' ? undefined : 'sha256';
  const signature = sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** A token that is "signed" with a text everybody knows, as forgers do it with a public key. */
export function hmacToken(secret: string | Buffer, claims: Members, header: Members = {}): string {
  const text = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** A token without a signature. */
export function unsignedToken(claims: Members): string {
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface TokenIssuerOptions {
  /** PEM; absent: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
}

/**
 * An OpenID provider as far as those see it who check its tokens: discovery, a key set, and tokens. Counts what it is asked; its answers can be
 * replaced by bad ones.
 */
export class TokenIssuer {
  /** Each request's path. */
  readonly asked: string[] = [];
  /** The keys that it publishes; it signs with the first. */
  keys: SigningKey[];
  /** Answers in place of its own. */
  answer: Answer | undefined;
  readonly #server: http.Server | https.Server;

  constructor(private readonly options: TokenIssuerOptions = {}) {
    this.keys = [signingKey('RS256')];
    const take = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    this.#server = options.tls ? https.createServer(options.tls, take) : http.createServer(take);
  }

  /** @param port default a free one */
  async listen(port = 0): Promise<this> {
    const { host = '127.0.0.1' } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What its tokens name (`iss`). */
  get issuer(): string {
    const { host = '127.0.0.1', tls } = this.options;
    return `${tls ? 'https' : 'http'}://${host}:${this.port}`;
  }

  get jwksUri(): string {
    return `${this.issuer}/keys`;
  }

  /** A JSON Web Key Set. */
  get jwks(): string {
    return JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) });
  }

  /** Signs with another key from now on, which alone is published. */
  rotate(alg: Algorithm = 'RS256'): void {
    this.keys = [signingKey(alg)];
  }

  /** Claims of a token that is good for ten minutes. */
  claims(more: Members = {}): Members {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      sub: 'anna',
      aud: 'shop',
      iat: now,
      nbf: now,
      exp: now + 600,
      jti: randomUUID(),
      ...more,
    };
  }

  /** A token by the key that it signs with now. */
  token(more: Members = {}, header: Members = {}): string {
    const [key] = this.keys;
    if (!key) throw new Error('the issuer has no key');
    return tokenOf(key, this.claims(more), header);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', this.issuer).pathname;
    this.asked.push(path);
    if (this.answer) {
      this.answer(request, response);
      return;
    }
    const documents: Readonly<Record<string, () => string>> = {
      '/.well-known/openid-configuration': () => JSON.stringify({ issuer: this.issuer, jwks_uri: this.jwksUri }),
      '/keys': () => this.jwks,
    };
    const document = Object.hasOwn(documents, path) ? documents[path]?.() : undefined;
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(document ?? '{}');
  }
}
