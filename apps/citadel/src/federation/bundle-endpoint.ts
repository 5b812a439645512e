import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type SpiffeBundle, verifyPeer } from '@seine/ca';
import type { TlsMaterial } from '@seine/identity';
import type { FederatedDomain } from './federation.js';

const timeoutMs = 10_000;
const mostBytes = 4 * 1024 * 1024;

/**
 * Reads another mesh's bundle endpoint. `https_web`: the server is known as web servers are. `https_spiffe`: it shows the
 * SPIFFE ID that is expected, by a certificate below a root of its trust domain that is known already.
 * @param webRoots PEM: those of web servers; undefined = the system's
 */
export function bundleReader(webRoots: () => string | undefined, now: () => number) {
  return async (domain: FederatedDomain, known: readonly string[]): Promise<string> => {
    const { url, profile, trustDomain } = domain;
    if (profile.kind === 'https_web') {
      const ca = webRoots();
      return await get(url, ca === undefined ? {} : { ca });
    }
    if (known.length === 0) throw new Error('no root of it is known to begin with');
    const isExpected = (socket: TLSSocket): string | undefined => {
      const verdict = verifyPeer(chainOf(socket.getPeerCertificate(true)), new Map([[trustDomain, known]]), now());
      if ('error' in verdict) return verdict.error;
      return verdict.spiffeId === profile.spiffeId ? undefined : `its certificate is of ${verdict.spiffeId}`;
    };
    return await get(url, { ca: known.join(''), checkServerIdentity: () => undefined, isExpected });
  };
}

/** DER, the leaf first. */
function chainOf(leaf: DetailedPeerCertificate): readonly Buffer[] {
  const chain: Buffer[] = [];
  // A root names itself as its issuer.
  for (let next: Partial<DetailedPeerCertificate> | undefined = leaf; next?.raw; next = next.issuerCertificate) {
    const { raw } = next;
    if (chain.some((seen) => seen.equals(raw))) break;
    chain.push(raw);
  }
  return chain;
}

interface GetOptions {
  readonly ca?: string;
  readonly checkServerIdentity?: () => undefined;
  /** Why who answered is not who should. */
  readonly isExpected?: (socket: TLSSocket) => string | undefined;
}

function get(url: URL, { isExpected, ...tls }: GetOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = https.get(url, { ...tls, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const wrong = isExpected?.(response.socket as TLSSocket);
      if (wrong !== undefined) {
        call.destroy(new Error(wrong));
        return;
      }
      if (response.statusCode !== 200) {
        call.destroy(new Error(`answered ${response.statusCode ?? 0}`));
        return;
      }
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > mostBytes) call.destroy(new Error(`is longer than ${mostBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      response.on('error', reject);
    });
    call.on('error', reject);
  });
}

/** Serves the mesh's own bundle to others, with citadel's SVID (`https_spiffe`), or a web server's certificate. */
export class BundleEndpoint {
  private constructor(private readonly server: https.Server) {}

  /** @param listen host and port @param certificate the one of now, asked for again at each `renew` */
  static async listen(
    listen: { readonly host: string; readonly port: number },
    certificate: Pick<TlsMaterial, 'chain' | 'key'>,
    bundle: () => SpiffeBundle,
  ): Promise<BundleEndpoint> {
    const server = https.createServer({ cert: certificate.chain, key: certificate.key }, (request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
        return;
      }
      const { pathname } = new URL(request.url ?? '/', 'https://bundle');
      if (pathname !== '/' && pathname !== '/bundle') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(bundle()));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(listen.port, listen.host, resolve);
    });
    return new BundleEndpoint(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From the next handshake on. */
  renew({ chain, key }: Pick<TlsMaterial, 'chain' | 'key'>): void {
    this.server.setSecureContext({ cert: chain, key });
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
