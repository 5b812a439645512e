import { ask, bodyOf, checkStatus, type Fetch, sha256Of } from './download.js';
import { FetchFailure } from './fetch-failure.js';
import { pullImage } from './oci-registry.js';
import { credentialsFor } from './registry-auth.js';
import { unpackModule } from './unpack.js';

/** What is asked for. */
export interface ModuleRequest {
  readonly url: string;
  /** Of the module, of what the server gave, or of the image's manifest; empty: any. */
  readonly sha256: string;
  /** A Docker config with credentials; empty: none. */
  readonly dockerConfig: string;
}

export interface LoaderIo {
  readonly fetch: Fetch;
  /** @throws Error with `code` as node:fs has it */
  readonly readFile: (path: string) => Promise<Buffer>;
}

export type LoadedModule =
  | { readonly kind: 'module'; readonly bytes: Buffer; readonly sha256: string }
  /** There is no such file here: the path is one of the proxy's, as it is with Istio. */
  | { readonly kind: 'proxy-file'; readonly path: string };

interface Download {
  readonly module: Buffer;
  /** Checksums that the user may have meant. */
  readonly digests: readonly string[];
}

/** Gets one module. @throws FetchFailure */
export async function loadModule(io: LoaderIo, request: ModuleRequest): Promise<LoadedModule> {
  const [, scheme = 'oci', address = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/s.exec(request.url) ?? [];
  if (scheme === 'file') {
    const bytes = await readLocal(io, address);
    return bytes ? checked(request, download(bytes)) : { kind: 'proxy-file', path: address };
  }
  if (scheme === 'http' || scheme === 'https') return checked(request, await downloadFrom(io.fetch, request.url));
  if (scheme !== 'oci') throw new FetchFailure(`${request.url}: ${scheme} is none of oci, http, https and file`, true);
  const { module, digest } = await pullImage(io.fetch, address, (host) =>
    request.dockerConfig ? credentialsFor(request.dockerConfig, host) : undefined,
  );
  return checked(request, { module, digests: [digest, sha256Of(module)] });
}

async function downloadFrom(fetch: Fetch, url: string): Promise<Download> {
  const response = await ask(fetch, url);
  checkStatus(response, url);
  return download(await bodyOf(response, url));
}

function download(bytes: Buffer): Download {
  const module = unpackModule(bytes);
  return { module, digests: [...new Set([sha256Of(bytes), sha256Of(module)])] };
}

async function readLocal({ readFile }: LoaderIo, path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new FetchFailure(`${path} cannot be read: ${message}`);
  }
}

function checked({ url, sha256 }: ModuleRequest, { module, digests }: Download): LoadedModule {
  if (sha256 && !digests.includes(sha256))
    throw new FetchFailure(`${url} has the checksum ${digests.join(' or ')}, and not ${sha256}`, true);
  return { kind: 'module', bytes: module, sha256: sha256Of(module) };
}
