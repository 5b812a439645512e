import http from 'node:http';

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Milliseconds after which the request fails; a bound for a hang. */
  readonly timeoutMs?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Milliseconds from sending to the end of the body. */
  readonly took: number;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** Closes the connections kept for reuse. */
export function closeConnections(): void {
  agent.destroy();
}

/**
 * One HTTP/1.1 request.
 * @param target request target: a path, or an absolute URL for a proxy
 * @throws Error when no answer comes
 */
export async function request(
  host: string,
  port: number,
  target: string,
  options: RequestOptions = {},
): Promise<Reply> {
  const { method = 'GET', headers = {}, body, timeoutMs = 30_000 } = options;
  const started = performance.now();
  return await new Promise((resolve, reject) => {
    const call = http.request({ host, port, path: target, method, headers: mutable(headers), agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text,
          took: performance.now() - started,
        }),
      );
    });
    call.setTimeout(timeoutMs, () => call.destroy(new Error(`no answer from ${host}:${port} in ${timeoutMs} ms`)));
    call.on('error', reject);
    call.end(body);
  });
}

/** Makes `count` calls, `parallel` at a time. */
export async function many<T>(count: number, call: (index: number) => Promise<T>, parallel = 16): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await call(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
  return results;
}

function mutable(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, typeof v === 'string' ? v : [...v]]));
}
