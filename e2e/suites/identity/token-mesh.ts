import { poll } from '@seine/testing';
import type { TokenIssuer } from '@seine/jwks-fetch/testing';
import { closeConnections, documents, request, type Seen, TestMesh } from '../../src/index.js';

/** An object of security.istio.io. */
export function security(kind: string, name: string, spec: object, namespace = 'default'): string {
  return `apiVersion: security.istio.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
}

/** Of the workload that tests of tokens look at. */
export const reviews = { selector: { matchLabels: { app: 'reviews' } } };

/** A RequestAuthentication of `reviews`. */
export function tokenRules(...jwtRules: readonly object[]): string {
  return security('RequestAuthentication', 'tokens', { ...reviews, jwtRules });
}

export function bearer(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** One place of keys in pilot's /debug/jwks. */
export interface KeySource {
  readonly source: string;
  readonly jwksUri?: string;
  readonly state: string;
  readonly ageSeconds?: number;
}

/** A mesh whose pilot fetches keys from issuers on this machine, every second. */
export class TokenMesh {
  private constructor(readonly mesh: TestMesh) {}

  /** @param pilotArguments further ones */
  static async start(...pilotArguments: readonly string[]): Promise<TokenMesh> {
    const mesh = await TestMesh.start({
      workloads: [
        { name: 'reviews-v1', sidecar: true },
        { name: 'ratings-v1', sidecar: true },
      ],
      gateway: true,
      pilotArguments: ['--jwks-allow', '127.0.0.0/8', '--jwks-refresh', '1s', ...pilotArguments],
    });
    return new TokenMesh(mesh);
  }

  async sources(): Promise<readonly KeySource[]> {
    return (JSON.parse(await this.mesh.pilot.admin('/debug/jwks')) as { readonly sources: readonly KeySource[] })
      .sources;
  }

  /** Puts objects into force, with the keys that they name. */
  async apply(...yaml: readonly string[]): Promise<void> {
    await this.mesh.apply('tokens', documents(...yaml));
    await poll(async () => (await this.sources()).every(({ state }) => state !== 'loading'), 'keys to be looked for');
    await this.mesh.untilSynced();
    // A connection keeps the filters it began with.
    closeConnections();
  }

  /** A call straight to the port of a workload's sidecar. */
  async call(headers: Readonly<Record<string, string>>, path = '/', workload = 'reviews-v1', method = 'GET') {
    const { address } = this.mesh.workloads.get(workload)!;
    return await request(address, 8080, path, { method, headers: { host: 'reviews:8080', ...headers } });
  }

  /** How a call with a token is answered. */
  async status(token: string | undefined, path = '/'): Promise<number> {
    return (await this.call(bearer(token), path)).status;
  }

  /** Waits until calls are answered so, each on a connection of its own. */
  async untilStatus(token: () => string, wanted: number): Promise<void> {
    await poll(async () => {
      closeConnections();
      return (await this.status(token())) === wanted;
    }, `status ${wanted}`);
  }

  /** What the workload got last. */
  get seen(): Seen | undefined {
    return this.mesh.echo('reviews-v1').seen.at(-1);
  }

  /** Puts keys of an issuer into force by `apply`, and waits for them. */
  async applyFetched(issuer: TokenIssuer, more: object = {}): Promise<void> {
    await this.apply(tokenRules({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, ...more }));
    await this.untilStatus(() => issuer.token(), 200);
  }
}
