import { Refused } from './outbox.js';

export interface PostOptions {
  readonly fetch: typeof fetch;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Answers after which the same request may well succeed (RFC 9110, and OTLP's list). */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Posts JSON, for what it does over there.
 * @throws Refused where it is of no use to post the same again; Error where it is
 */
export async function postJson({ fetch, url, headers, timeoutMs }: PostOptions, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.body?.cancel();
  if (response.ok) return;
  const message = `${url} answers ${response.status}`;
  throw passing.has(response.status) ? new Error(message) : new Refused(message);
}
