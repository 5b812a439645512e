import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as JSON, a string as it is. */
  readonly body: unknown;
  /** Of a string body. Default: HTML. */
  readonly contentType?: string;
}

export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly request: IncomingMessage;
  /** What the route's expression captured. */
  readonly captured: readonly string[];
}

export interface Route {
  readonly method: 'GET' | 'POST' | '*';
  readonly path: RegExp;
  readonly reply: (incoming: Incoming) => Reply | Promise<Reply>;
}

/** An HTTP server over a list of routes: the first that matches answers. */
export function createHttpServer(routes: readonly Route[], log: (message: string) => void = console.error): Server {
  const server = createServer((request, response) => {
    answerRequest(routes, request)
      .then((reply) => send(response, reply))
      .catch((error: unknown) => {
        if (error instanceof BodyTooLargeError) {
          send(response, { status: 413, headers: { connection: 'close' }, body: { error: error.message } });
          return;
        }
        log(`${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? error.message : String(error)}`);
        send(response, { status: 500, body: { error: 'internal error' } });
      });
  });
  // The sidecar keeps its connections for an hour; closing them first would lose the request that is on its way.
  server.keepAliveTimeout = 0;
  return server;
}

/** The reply to one request; 404 where no route knows the path, 405 where none takes the method. */
export async function answerRequest(routes: readonly Route[], request: IncomingMessage): Promise<Reply> {
  const method = request.method ?? 'GET';
  const path = new URL(request.url ?? '/', 'http://self').pathname;
  let known = false;
  for (const route of routes) {
    const match = route.path.exec(path);
    if (!match) continue;
    known = true;
    if (route.method !== '*' && route.method !== (method === 'HEAD' ? 'GET' : method)) continue;
    return await route.reply({ method, path, request, captured: match.slice(1) });
  }
  return known
    ? { status: 405, body: { error: `${method} is not allowed here` } }
    : { status: 404, body: { error: `nothing is at ${path}` } };
}

function send(response: ServerResponse, { status = 200, headers = {}, body, contentType }: Reply): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = contentType ?? (typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json');
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers } as Record<
    string,
    string | number | string[]
  >);
  response.end(text);
}

/** Thrown for a body that is larger than any the sample takes. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}

const maxBodyBytes = 64 * 1024;

/** @throws BodyTooLargeError */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new BodyTooLargeError(`the body is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
