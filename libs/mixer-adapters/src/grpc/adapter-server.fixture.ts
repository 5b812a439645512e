import { fileURLToPath } from 'node:url';
import {
  type Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { mixerAdapterLoaderOptions, mixerAdapterProto, mixerAdapterService } from '@seine/api';

export interface Asked {
  readonly method: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly metadata: Metadata;
}

/** An adapter in a server of its own, that keeps what it is asked, and answers as a test says. */
export class AdapterServer {
  readonly asked: Asked[] = [];
  /** Undefined = it never answers. */
  answer: (asked: Asked) => object | Error | undefined = () => ({});
  readonly #server = new Server();
  #port = 0;

  constructor() {
    const service = loadSync(fileURLToPath(mixerAdapterProto), mixerAdapterLoaderOptions)[mixerAdapterService];
    const handle =
      (method: string) =>
      ({ request, metadata }: ServerUnaryCall<Asked['request'], object>, done: sendUnaryData<object>): void => {
        const one = { method, request, metadata };
        this.asked.push(one);
        const answer = this.answer(one);
        if (answer) done(answer instanceof Error ? answer : null, answer);
      };
    this.#server.addService(service as ServiceDefinition, {
      Check: handle('Check'),
      Quota: handle('Quota'),
      Report: handle('Report'),
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async listen(credentials = ServerCredentials.createInsecure(), port = 0): Promise<void> {
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }
}
