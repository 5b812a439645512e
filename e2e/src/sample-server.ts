import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp, type Role } from '@seine/bookinfo';

/** One service of the sample application, which calls others through its sidecar. */
export class SampleServer {
  private constructor(private readonly server: Server) {}

  /** @param name `reviews-v2` @param proxy of its sidecar, `http://127.20.1.1:15007` */
  static async listen(name: string, role: Role, proxy: string): Promise<SampleServer> {
    const host = '127.0.0.1';
    const version = name.slice(name.lastIndexOf('-') + 1);
    const app = createApp({ role, version, host, port: 0, podName: name, proxy: new URL(proxy), servicePort: 8080 });
    await new Promise<void>((resolve, reject) => {
      app.once('error', reject);
      app.listen(0, host, resolve);
    });
    return new SampleServer(app);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
