import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server on a free loopback port that answers each path and query with a fixed JSON text. */
export class FakeHttp {
  readonly asked: string[] = [];
  private readonly server: http.Server;

  constructor(answers: Readonly<Record<string, string>>) {
    this.server = http.createServer((request, response) => {
      const url = request.url ?? '';
      this.asked.push(url);
      const body = answers[url];
      response.statusCode = body === undefined ? 404 : 200;
      response.end(body ?? 'no such page');
    });
  }

  /** @returns the port */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
