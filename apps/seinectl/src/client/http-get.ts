import http from 'node:http';
import { CommandError } from '../command-error.js';

export interface HttpGetOptions {
  /** Milliseconds until the answer's last byte. */
  readonly timeoutMs: number;
  /** What is asked, for the message when it does not answer: `pilot's admin port`. */
  readonly who: string;
}

/**
 * The body of a 200 answer. Plain node:http, as fetch alone would take a third of the start-up budget.
 * @throws CommandError when nobody answers in time, or with another status
 */
export async function httpGet(url: string, { timeoutMs, who }: HttpGetOptions): Promise<string> {
  try {
    const { status, body } = await request(url, timeoutMs);
    if (status === 200) return body;
    const said = body.trim().slice(0, 300);
    throw new CommandError(`${who} at ${url} answered ${status}${said ? `: ${said}` : ''}`);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${who} does not answer at ${url}: ${reasonOf(error)}`, 1, { cause: error });
  }
}

/** @throws CommandError as {@link httpGet}, and when the body is not JSON */
export async function httpGetJson(url: string, options: HttpGetOptions): Promise<unknown> {
  const body = await httpGet(url, options);
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw new CommandError(`${options.who} at ${url} did not answer JSON: ${reasonOf(error)}`, 1, { cause: error });
  }
}

/** Node leaves the message of a refused connection to several addresses empty; its code says it. */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || 'unknown reason';
}

function request(url: string, timeoutMs: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = http.get(url, { signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    call.on('error', (error) =>
      reject(error.name === 'AbortError' ? new Error(`no answer in ${timeoutMs} ms`) : error),
    );
  });
}
