import { createHash } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Blob {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Answer {
  readonly status: number;
  readonly body?: Buffer | string;
  readonly headers?: http.OutgoingHttpHeaders;
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * A registry as the OCI distribution spec has it (pull only), with Docker's token authentication, and plain files under
 * `/files/`. Counts what it is asked.
 */
export class RegistryServer {
  /** Each request as `GET path`. */
  readonly asked: string[] = [];
  /** Files by name. */
  readonly files = new Map<string, Buffer>();
  /** When set, everything is answered with this status. */
  broken: number | undefined;
  /** Who may pull; absent: everybody. */
  user: { readonly name: string; readonly password: string } | undefined;
  /** Whether the user is asked for by Basic instead of a token. */
  basic = false;
  readonly #manifests = new Map<string, Blob>();
  readonly #blobs = new Map<string, Buffer>();
  readonly #server = http.createServer((request, response) => this.#answer(request, response));

  async listen(host = '127.0.0.1'): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `127.0.0.1:5000` */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Puts an image there. @returns the hex digest of its manifest */
  push(name: string, tag: string, layers: readonly { readonly mediaType: string; readonly bytes: Buffer }[]): string {
    for (const { bytes } of layers) this.#blobs.set(digestOf(bytes), bytes);
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      layers: layers.map(({ mediaType, bytes }) => ({ mediaType, size: bytes.length, digest: digestOf(bytes) })),
    };
    return this.#put(name, tag, manifest.mediaType, manifest);
  }

  /** Puts an index there whose only entry is the image of another tag. @returns the hex digest of the index */
  pushIndex(name: string, tag: string, digest: string): string {
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const manifests = [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${digest}` }];
    return this.#put(name, tag, mediaType, { schemaVersion: 2, mediaType, manifests });
  }

  /** Breaks the content of a layer. */
  spoil(bytes: Buffer): void {
    this.#blobs.set(digestOf(bytes), Buffer.from('something else'));
  }

  #put(name: string, tag: string, type: string, content: object): string {
    const bytes = Buffer.from(JSON.stringify(content));
    for (const reference of [tag, digestOf(bytes)]) this.#manifests.set(`${name}/${reference}`, { type, bytes });
    return digestOf(bytes).slice('sha256:'.length);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    this.asked.push(`${request.method ?? ''} ${pathname}`);
    const { status, body = '', headers = {} } = this.#answerTo(request, pathname, searchParams);
    response.writeHead(status, headers);
    response.end(body);
  }

  #answerTo(request: IncomingMessage, pathname: string, parameters: URLSearchParams): Answer {
    if (this.broken !== undefined) return { status: this.broken };
    const file = this.files.get(pathname.replace(/^\/files\//, ''));
    if (file) return { status: 200, body: file };
    if (pathname === '/token') return this.#token(request, parameters);
    return this.#isAllowed(request) ? this.#image(request, pathname) : this.#challenge(pathname);
  }

  #image({ headers }: IncomingMessage, pathname: string): Answer {
    const [, name = '', kind = '', reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
    const manifest = kind === 'manifests' ? this.#manifests.get(`${name}/${reference}`) : undefined;
    if (manifest && (headers.accept ?? '').includes(manifest.type))
      return { status: 200, body: manifest.bytes, headers: { 'content-type': manifest.type } };
    const blob = kind === 'blobs' ? this.#blobs.get(reference) : undefined;
    return blob ? { status: 200, body: blob } : { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
  }

  #challenge(pathname: string): Answer {
    const scope = `repository:${/^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(pathname)?.[1] ?? ''}:pull`;
    const bearer = `Bearer realm="http://${this.host}/token",service="the registry",scope="${scope}"`;
    return { status: 401, headers: { 'www-authenticate': this.basic ? 'Basic realm="registry"' : bearer } };
  }

  #basicOf({ name, password }: { readonly name: string; readonly password: string }): string {
    return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    if (!this.user) return true;
    return headers.authorization === (this.basic ? this.#basicOf(this.user) : 'Bearer the-token');
  }

  #token({ headers }: IncomingMessage, parameters: URLSearchParams): Answer {
    const isRight = this.user && headers.authorization === this.#basicOf(this.user);
    const scope = parameters.get('scope') ?? '';
    return isRight && parameters.get('service') === 'the registry' && /^repository:.+:pull$/.test(scope)
      ? { status: 200, body: JSON.stringify({ token: 'the-token' }) }
      : { status: 401 };
  }
}
