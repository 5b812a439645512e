import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status?: number;
  readonly body?: string;
  /** It never comes. */
  readonly never?: boolean;
}

/** An HTTP server that keeps what it is asked, and answers as a test says. */
export class HttpServer {
  readonly requests: HttpRequest[] = [];
  answer: (request: HttpRequest) => HttpAnswer = () => ({});
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const one = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
        this.requests.push(one);
        const { status = 200, body = '', never = false } = this.answer(one);
        if (!never) response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      });
    });
  }

  static async listen(): Promise<HttpServer> {
    const made = new HttpServer();
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Bodies as JSON. */
  json<T>(): T[] {
    return this.requests.map(({ body }) => JSON.parse(body) as T);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
