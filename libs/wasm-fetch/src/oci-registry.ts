import { ask, bodyOf, checkStatus, type Fetch, sha256Of } from './download.js';
import { FetchFailure } from './fetch-failure.js';
import { type OciReference, parseOciReference, registryUrl } from './oci-reference.js';
import { basicAuthorization, type Credentials, parseChallenge } from './registry-auth.js';
import { unpackModule } from './unpack.js';

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
/** Layers that are a module as it is (the "spec" variants of Wasm images); all others are archives with `plugin.wasm`. */
const moduleLayers = new Set([
  'application/vnd.module.wasm.content.layer.v1+wasm',
  'application/vnd.wasm.content.layer.v1+wasm',
  'application/wasm',
]);
const maxManifestBytes = 4 * 1024 * 1024;

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
}

interface Manifest {
  readonly layers?: readonly Descriptor[];
  /** Of an index: one image a platform. */
  readonly manifests?: readonly Descriptor[];
}

export interface PulledImage {
  readonly module: Buffer;
  /** Digest of the image's manifest, without `sha256:`: what `sha256` of a WasmPlugin is compared with. */
  readonly digest: string;
}

/** One image in one registry, by its HTTP API (OCI distribution spec, "Pull"). */
class Image {
  #authorization: string | undefined;

  constructor(
    private readonly fetch: Fetch,
    private readonly image: OciReference,
    private readonly credentials: Credentials | undefined,
  ) {}

  async manifest(reference: string): Promise<{ readonly manifest: Manifest; readonly digest: string }> {
    const name = `${this.image.host}/${this.image.repository}`;
    const what = `manifest ${reference} of ${name}`;
    const response = await this.#get(`manifests/${reference}`, { accept: manifestTypes.join(', ') });
    checkStatus(response, what);
    const bytes = await bodyOf(response, what, maxManifestBytes);
    const digest = sha256Of(bytes);
    if (reference.startsWith('sha256:') && reference !== `sha256:${digest}`)
      throw new FetchFailure(`${what} has the digest sha256:${digest}`, true);
    return { manifest: parseManifest(bytes, what), digest };
  }

  async blob({ digest }: Descriptor): Promise<Buffer> {
    const what = `layer ${digest} of ${this.image.host}/${this.image.repository}`;
    const response = await this.#get(`blobs/${digest}`, {});
    checkStatus(response, what);
    const bytes = await bodyOf(response, what);
    if (digest !== `sha256:${sha256Of(bytes)}`) throw new FetchFailure(`${what} has another content`);
    return bytes;
  }

  async #get(path: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const url = `${registryUrl(this.image.host)}/v2/${this.image.repository}/${path}`;
    const send = () =>
      ask(this.fetch, url, { ...headers, ...(this.#authorization && { authorization: this.#authorization }) });
    const first = await send();
    if (first.status !== 401) return first;
    await first.body?.cancel();
    this.#authorization = await this.#authorize(first.headers.get('www-authenticate') ?? '');
    const second = await send();
    if (second.status !== 401) return second;
    await second.body?.cancel();
    throw new FetchFailure(
      `${this.image.host} does not let ${this.credentials ? this.credentials.username : 'anybody'} read ${this.image.repository}`,
    );
  }

  /** What the registry wants to see, by its answer 401 (Docker's token authentication, or Basic). */
  async #authorize(header: string): Promise<string | undefined> {
    const { scheme, parameters } = parseChallenge(header);
    if (scheme === 'basic') return this.credentials && basicAuthorization(this.credentials);
    const realm = parameters.get('realm') ?? '';
    if (scheme !== 'bearer' || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    const service = parameters.get('service');
    if (service) url.searchParams.set('service', service);
    url.searchParams.set('scope', parameters.get('scope') ?? `repository:${this.image.repository}:pull`);
    const headers = this.credentials && { authorization: basicAuthorization(this.credentials) };
    const response = await ask(this.fetch, url.href, headers);
    checkStatus(response, `token for ${this.image.repository} from ${url.origin}`);
    const answer = (await response.json().catch(() => ({}))) as { token?: unknown; access_token?: unknown };
    const token = answer.token ?? answer.access_token;
    return typeof token === 'string' ? `Bearer ${token}` : undefined;
  }
}

function parseManifest(bytes: Buffer, what: string): Manifest {
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Said below.
  }
  throw new FetchFailure(`${what} is no JSON`);
}

/**
 * Pulls the module of a Wasm image: an artifact whose layer is the module, or an ordinary image with `plugin.wasm` in its
 * last layer. @param address without `oci://` @throws FetchFailure
 */
export async function pullImage(
  fetch: Fetch,
  address: string,
  credentialsOf: (host: string) => Credentials | undefined,
): Promise<PulledImage> {
  const parsed = parseOciReference(address);
  const image = new Image(fetch, parsed, credentialsOf(parsed.host));
  const top = await image.manifest(parsed.reference);
  const [platform] = top.manifest.manifests ?? [];
  const { layers = [] } = platform ? (await image.manifest(platform.digest)).manifest : top.manifest;
  const layer = layers.find(({ mediaType }) => moduleLayers.has(mediaType ?? '')) ?? layers.at(-1);
  if (!layer) throw new FetchFailure(`${address} has no layers`, true);
  return { module: unpackModule(await image.blob(layer)), digest: top.digest };
}
