import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Call {
  /** `http://details:9080/details/0` */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole call, ms. */
  readonly timeoutMs: number;
  readonly proxy?: URL | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Calls another service. Rejects when there is no answer: no connection, or not in time. */
export type CallService = (call: Call) => Promise<Answer>;

/** One agent a process: connections to the sidecar stay open between calls. */
const agent = new Agent({ keepAlive: true });

export const callService: CallService = async (call) => {
  const signal = AbortSignal.timeout(call.timeoutMs);
  try {
    return await attempt(call, signal);
  } catch (error) {
    // The sidecar may close an idle connection at the moment we use it; nothing was sent then.
    if (error instanceof StaleConnectionError) return await attempt(call, signal);
    throw error;
  }
};

class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';
}

async function attempt(call: Call, signal: AbortSignal): Promise<Answer> {
  const response = await send(call, signal);
  return { status: response.statusCode ?? 0, body: await text(response) };
}

function send({ url, headers, proxy }: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const target = new URL(url);
  const to = proxy ?? target;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = httpRequest({
      agent,
      signal,
      host: to.hostname,
      port: to.port,
      // A proxy is told the whole URL (RFC 9112 section 3.2.2).
      path: proxy ? url : `${target.pathname}${target.search}`,
      headers: { ...headers, host: target.host, accept: 'application/json' },
    });
    request.once('response', resolve);
    request.once('error', (error: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && error.code === 'ECONNRESET';
      reject(stale ? new StaleConnectionError(error.message, { cause: error }) : error);
    });
    request.end();
  });
}
