import type { LookupAddress } from 'node:dns';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { FetchFailure } from './fetch-failure.js';

/** What a document may have at most, bytes. */
export const maxBytes = 1024 * 1024;
/** How often a server may send us elsewhere. */
const maxRedirects = 3;

export interface DocumentIo {
  /** The addresses of a name. */
  readonly resolve: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Why an address may not be asked; undefined: it may. */
  readonly refusal: (address: string) => string | undefined;
  /** PEM of the authorities that servers are checked by; absent: those of Node.js. */
  readonly authorities?: readonly string[] | undefined;
}

/** Ends what takes too long, with the URL and how far it had come. */
interface Deadline {
  readonly signal: AbortSignal;
  readonly milliseconds: number;
}

/**
 * The text at a URL. Names are resolved here, and the connection goes to an address that was looked at: neither a
 * redirect nor a name that stands for another address a moment later leads anywhere else.
 * @param timeoutMs for all of it, with redirects and the whole body
 * @throws FetchFailure
 */
export async function getDocument(io: DocumentIo, url: string, timeoutMs: number): Promise<string> {
  const deadline = { signal: AbortSignal.timeout(timeoutMs), milliseconds: timeoutMs };
  let at = parse(url);
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const response = await ask(io, at, deadline);
    const next = redirectOf(response, at);
    if (next === undefined) return await bodyOf(response, at, deadline);
    response.destroy();
    at = next;
  }
  throw new FetchFailure(`${url} redirects more than ${maxRedirects} times`);
}

function parse(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new FetchFailure(`${JSON.stringify(text)} is no URL`);
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new FetchFailure(`${url.href} is neither http nor https`);
  if (base?.protocol === 'https:' && url.protocol === 'http:')
    throw new FetchFailure(`${base.href} redirects to ${url.href}, where anybody on the way could change the keys`);
  return url;
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, at: URL): URL | undefined {
  if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) return undefined;
  return parse(headers.location, at);
}

/** The addresses of a URL's host that may be asked. */
async function addressesOf(io: DocumentIo, { hostname }: URL, deadline: Deadline): Promise<readonly LookupAddress[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  let addresses: readonly LookupAddress[];
  try {
    addresses = family > 0 ? [{ address: host, family }] : await within(io.resolve(host), deadline);
  } catch (error) {
    if (deadline.signal.aborted)
      throw new FetchFailure(`the name ${host} is not resolved within ${deadline.milliseconds} ms`);
    throw new FetchFailure(`the name ${host} cannot be resolved: ${reasonOf(error)}`);
  }
  const refusals = addresses.map(({ address }) => [address, io.refusal(address)] as const);
  const permitted = addresses.filter((_, i) => refusals[i]?.[1] === undefined);
  if (permitted.length > 0) return permitted;
  const [address = host, why = 'nowhere'] = refusals[0] ?? [];
  throw new FetchFailure(
    `${host === address ? host : `${host} (${address})`} is ${why}, from which pilot fetches no keys`,
  );
}

function within<T>(promise: Promise<T>, { signal }: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('too late'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function ask(io: DocumentIo, url: URL, deadline: Deadline): Promise<IncomingMessage> {
  const addresses = await addressesOf(io, url, deadline);
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
  const options = {
    lookup,
    signal: deadline.signal,
    // A connection for this alone: nothing lingers at a server that hangs.
    agent: false as const,
    autoSelectFamily: true,
    maxHeaderSize: 16 * 1024,
    headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'seine-pilot' },
  };
  const ca = io.authorities && { ca: [...io.authorities] };
  return await new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? https.get(url, { ...options, ...ca }) : http.get(url, options);
    request.on('response', resolve);
    request.on('error', (error) => reject(failureOf(error, `${url.origin} does not answer`, deadline)));
  });
}

async function bodyOf(response: IncomingMessage, { href }: URL, deadline: Deadline): Promise<string> {
  try {
    if (response.statusCode !== 200) throw new FetchFailure(`${href}: HTTP status ${response.statusCode ?? 0}`);
    const encoding = response.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') throw new FetchFailure(`${href} is encoded by ${encoding}, which was not asked for`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new FetchFailure(`${href} is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    throw failureOf(error, `${href} broke off`, deadline);
  } finally {
    response.destroy();
  }
}

function failureOf(error: unknown, what: string, { signal, milliseconds }: Deadline): FetchFailure {
  if (error instanceof FetchFailure) return error;
  return new FetchFailure(signal.aborted ? `${what} within ${milliseconds} ms` : `${what}: ${reasonOf(error)}`);
}

function reasonOf(error: unknown): string {
  const { message, code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly unknown[] };
  // Of several addresses that were tried, what the first one said.
  return errors?.[0] === undefined ? message || String(code) : reasonOf(errors[0]);
}
