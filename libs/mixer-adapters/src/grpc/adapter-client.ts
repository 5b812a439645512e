import { fileURLToPath } from 'node:url';
import { type ChannelOptions, Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { mixerAdapterLoaderOptions, mixerAdapterProto, mixerAdapterService } from '@seine/api';
import type { AdapterChannel, TokenHeader } from './credentials.js';

type Method = 'Check' | 'Quota' | 'Report';

let methods: ServiceDefinition | undefined;

/** The service as its proto file has it; read when the first adapter is reached. */
function methodOf(name: Method): MethodDefinition<object, object> {
  methods ??= loadSync(fileURLToPath(mixerAdapterProto), mixerAdapterLoaderOptions)[
    mixerAdapterService
  ] as ServiceDefinition;
  const method = methods[name];
  if (!method) throw new Error(`${mixerAdapterService} has no ${name}`);
  return method;
}

/** What may be asked again without harm, when it is not known whether it was heard. */
const retried = ['Check', 'Report'].map((method) => ({ service: mixerAdapterService, method }));

const channelOptions: ChannelOptions = {
  'grpc.service_config': JSON.stringify({
    methodConfig: [
      {
        name: retried,
        retryPolicy: {
          maxAttempts: 3,
          initialBackoff: '0.02s',
          maxBackoff: '0.2s',
          backoffMultiplier: 2,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
  }),
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_receive_message_length': 1024 * 1024,
};

export interface AdapterClientOptions {
  /** `host:port` */
  readonly address: string;
  readonly timeoutMs: number;
  readonly token: TokenHeader;
}

/** Calls an adapter that is a process of its own. */
export class AdapterClient {
  #client: Client;
  #signature: string;

  constructor(
    private readonly options: AdapterClientOptions,
    channel: AdapterChannel,
  ) {
    this.#signature = channel.signature;
    this.#client = this.#connect(channel);
  }

  /** Connects anew where keys or certificates have changed; calls that are under way end as they began. */
  renew(channel: AdapterChannel): void {
    if (channel.signature === this.#signature) return;
    this.#signature = channel.signature;
    const old = this.#client;
    this.#client = this.#connect(channel);
    setTimeout(() => old.close(), this.options.timeoutMs).unref();
  }

  /** @throws Error (rejects) that names the status where the adapter does not answer in time, or with an error */
  async call<Response>(name: Method, request: object): Promise<Response> {
    const metadata = new Metadata();
    const header = await this.options.token();
    if (header) metadata.set(...header);
    const { path, requestSerialize, responseDeserialize } = methodOf(name);
    const deadline = Date.now() + this.options.timeoutMs;
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: object): void => {
        if (error) reject(this.#failure(name, error));
        else resolve(response as Response);
      };
      const client = this.#client;
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, { deadline }, done);
    });
  }

  close(): void {
    this.#client.close();
  }

  #connect({ credentials, options }: AdapterChannel): Client {
    return new Client(this.options.address, credentials, { ...channelOptions, ...options });
  }

  #failure(name: Method, { code, details }: ServiceError): Error {
    return new Error(`adapter at ${this.options.address}, ${name}: ${status[code]}: ${details}`);
  }
}
