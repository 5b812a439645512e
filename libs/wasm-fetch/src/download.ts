import { createHash } from 'node:crypto';
import { FetchFailure } from './fetch-failure.js';

export type Fetch = typeof globalThis.fetch;

/** What a module may have at most, bytes (as in Istio); a larger one is more likely no module. */
export const maxModuleBytes = 256 * 1024 * 1024;
/** Longest time for one answer with its body, ms. */
const timeoutMs = 60_000;

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Asks a web server. @throws FetchFailure when no answer comes */
export async function ask(
  fetch: Fetch,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  try {
    return await fetch(url, { headers, redirect: 'follow', signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw new FetchFailure(`${originOf(url)} does not answer: ${reasonOf(error)}`);
  }
}

/** The body of an answer. @throws FetchFailure when it is too large, or does not come whole */
export async function bodyOf(response: Response, url: string, limit = maxModuleBytes): Promise<Buffer> {
  const tooLarge = () => new FetchFailure(`${url} is larger than ${limit} bytes`, true);
  if (Number(response.headers.get('content-length') ?? 0) > limit) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > limit) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof FetchFailure ? error : new FetchFailure(`${url} broke off: ${reasonOf(error)}`);
  }
  return Buffer.concat(chunks);
}

/** @throws FetchFailure when the status is not 200. Client errors last until somebody changes something, but registries lag. */
export function checkStatus(response: Response, what: string): void {
  if (response.status !== 200) throw new FetchFailure(`${what}: HTTP status ${response.status}`);
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : error.message;
}
