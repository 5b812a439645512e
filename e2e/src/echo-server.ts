import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What an upstream saw of a request; also the JSON of its answer. */
export interface Seen {
  readonly workload: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The SNI of a TLS connection. */
  readonly servername?: string | undefined;
}

/** How an upstream answers; default 200 at once. */
export interface Answer {
  readonly status?: number;
  readonly delayMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Close the connection instead of answering. */
  readonly reset?: boolean;
}

interface Tls {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** Where set, only clients with a certificate of this authority are let in. */
  readonly ca?: Buffer;
  /** Default `http/1.1`; Istio's clients say `istio`. */
  readonly ALPNProtocols?: string[];
}

/** An upstream: says who it is and what it got, and keeps count. */
export class EchoServer {
  readonly seen: Seen[] = [];
  /** Decides each answer; a test sets it. */
  answer: (request: Seen) => Answer = () => ({});
  readonly #server: http.Server | https.Server;

  private constructor(
    readonly workload: string,
    tls: Tls | undefined,
  ) {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      void this.#take(request).then(({ seen, answer }) => {
        if (answer.reset) request.socket.destroy();
        else if (!response.destroyed) {
          response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
          response.end(JSON.stringify(seen));
        }
      });
    };
    this.#server = tls
      ? https.createServer({ ...tls, requestCert: tls.ca !== undefined }, handle)
      : http.createServer(handle);
    // A proxy keeps its connections; none of them may outlive the test.
    this.#server.keepAliveTimeout = 60_000;
  }

  /**
   * @param port 0 = any
   * @param tls key and certificate, PEM; default plain HTTP
   */
  static async listen(workload: string, host: string, port: number, tls?: Tls): Promise<EchoServer> {
    const echo = new EchoServer(workload, tls);
    await new Promise<void>((resolve, reject) => {
      echo.#server.once('error', reject);
      echo.#server.listen(port, host, resolve);
    });
    return echo;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests seen, those of a path prefix if one is given. */
  count(prefix = ''): number {
    return this.seen.filter(({ path }) => path.startsWith(prefix)).length;
  }

  reset(): void {
    this.seen.length = 0;
    this.answer = () => ({});
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: IncomingMessage): Promise<{ seen: Seen; answer: Answer }> {
    let body = '';
    request.setEncoding('utf8');
    try {
      for await (const chunk of request) body += chunk as string;
    } catch {
      // The proxy gave the request up half way; what came of it still counts as seen.
    }
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const seen = {
      workload: this.workload,
      method: request.method ?? '',
      path: request.url ?? '',
      headers,
      body,
      ...(request.socket instanceof TLSSocket && { servername: request.socket.servername || undefined }),
    };
    this.seen.push(seen);
    const answer = this.answer(seen);
    if (answer.delayMs) await new Promise((resolve) => setTimeout(resolve, answer.delayMs));
    return { seen, answer };
  }
}
