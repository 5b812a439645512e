import { generateKeyPairSync, sign } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const host = '127.0.0.1';
const keyId = 'one';

/** An OpenID provider of service account tokens, as far as citadel asks one. */
export class ServiceAccountIssuer {
  readonly issuer = 'https://service-accounts.e2e';
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #server = http.createServer((_, response) => {
    const key = { ...this.#key.publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'RS256' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }));
  });

  static async listen(): Promise<ServiceAccountIssuer> {
    const issuer = new ServiceAccountIssuer();
    await new Promise<void>((resolve, reject) => {
      issuer.#server.once('error', reject);
      issuer.#server.listen(0, host, resolve);
    });
    return issuer;
  }

  get keysUrl(): string {
    return `http://${host}:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** A token of a service account, valid for an hour. */
  token(namespace: string, serviceAccount: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: this.issuer,
      aud: 'istio-ca',
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      exp: Math.floor(Date.now() / 1000) + 3600,
    };
    const text = `${part({ alg: 'RS256', kid: keyId })}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), this.#key.privateKey).toString('base64url')}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
