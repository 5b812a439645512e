import { type ChannelCredentials, Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { AdsVariant } from './ads-messages.js';
import { AdsStream } from './ads-stream.js';

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';
const methods: Record<AdsVariant, string> = {
  sotw: `${service}StreamAggregatedResources`,
  delta: `${service}DeltaAggregatedResources`,
};

const asIs = (bytes: Buffer): Buffer => bytes;

export interface AdsClientOptions {
  /** Default plain text. */
  readonly credentials?: ChannelCredentials;
  /** The header `authorization` of each stream. */
  readonly authorization?: string;
}

/** One client with one connection of its own, as one Envoy has; speaks ADS by @grpc/grpc-js. */
export class AdsClient {
  readonly #client: Client;

  /** @param target `127.0.0.1:15010` */
  constructor(
    target: string,
    private readonly options: AdsClientOptions = {},
  ) {
    this.#client = new Client(target, options.credentials ?? credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
    });
  }

  /** @param node goes with the first request; undefined leaves it out */
  open(variant: AdsVariant, node: Node | undefined): AdsStream {
    const metadata = new Metadata();
    const { authorization } = this.options;
    if (authorization !== undefined) metadata.set('authorization', authorization);
    const call: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(
      methods[variant],
      asIs,
      asIs,
      metadata,
    );
    return new AdsStream(variant, call, node);
  }

  close(): void {
    this.#client.close();
  }
}
