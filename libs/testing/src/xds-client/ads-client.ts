import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { AdsVariant } from './ads-messages.js';
import { AdsStream } from './ads-stream.js';

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';
const methods: Record<AdsVariant, string> = {
  sotw: `${service}StreamAggregatedResources`,
  delta: `${service}DeltaAggregatedResources`,
};

const asIs = (bytes: Buffer): Buffer => bytes;

/** One client with one connection of its own, as one Envoy has; speaks plain-text ADS by @grpc/grpc-js. */
export class AdsClient {
  readonly #client: Client;

  /** @param target `127.0.0.1:15010` */
  constructor(target: string) {
    this.#client = new Client(target, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
    });
  }

  /** @param node goes with the first request; undefined leaves it out */
  open(variant: AdsVariant, node: Node | undefined): AdsStream {
    const call: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(methods[variant], asIs, asIs);
    return new AdsStream(variant, call, node);
  }

  close(): void {
    this.#client.close();
  }
}
