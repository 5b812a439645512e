import {
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  makeGenericClientConstructor,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import type { TrustBundles } from '@seine/ca';
import { TypeUrl } from '@seine/envoy/resource';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { citadelChannel, clockHint } from '@seine/identity';
import {
  type CertificateProof,
  readBundlesSecret,
  retryDelay,
  rootSecretName,
  secretDiscoveryService,
} from '@seine/sds';

/** What a feed of bundles asks of the agent, and tells it. */
export interface BundleListener {
  /** The roots by which citadel is known. */
  readonly bundles: () => TrustBundles;
  /** Who asks, where the agent can prove it yet. */
  readonly proof: () => CertificateProof | undefined;
  /**
   * @param onDelivered is to be called when all Envoys of the agent have the roots: citadel's rotation waits for it
   * @returns why the bundles are not taken
   */
  readonly onBundles: (bundles: TrustBundles, onDelivered: () => void) => string | undefined;
  readonly onTrouble: (message: string) => void;
}

export interface RunningFeed {
  /** Asks again, as other roots count now. */
  restart(): void;
  stop(): void;
}

/** Follows citadel's bundles. */
export type BundleFeed = (listener: BundleListener) => RunningFeed;

export interface BundleFeedOptions {
  /** Citadel's `host:port`. */
  readonly address: string;
  readonly trustDomain: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly later: (run: () => void, ms: number) => () => void;
}

type Stream = ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** A citadel that has vanished without a word is noticed. */
const keepalive: ChannelOptions = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 };
const clientClass = makeGenericClientConstructor(secretDiscoveryService, 'sds');

/** Follows the trust bundle that citadel pushes over Envoy's secret discovery service, as long as the agent lives. */
export function citadelBundleFeed({ address, trustDomain, now, random, later }: BundleFeedOptions): BundleFeed {
  return (listener) => {
    const channel = citadelChannel({ address, trustDomain, bundles: listener.bundles, now });
    let failures = 0;
    let callOff: (() => void) | undefined;
    let end = (): void => undefined;

    const again = (reason: string): void => {
      end();
      failures++;
      // Nothing is lost while citadel is away: an hour of back-off would only delay a rotation.
      const wait = retryDelay(failures, 0, random());
      if (failures === 1 || Math.log2(failures) % 1 === 0)
        listener.onTrouble(
          `the bundles of citadel at ${address} are not heard of: ${reason}; those of before are kept`,
        );
      callOff = later(connect, wait);
    };
    const connect = (): void => {
      callOff = undefined;
      try {
        const { credentials, options } = channel(listener.proof());
        end = follow(credentials, options);
      } catch (error) {
        again(error instanceof Error ? error.message : String(error));
      }
    };
    const follow = (credentials: ChannelCredentials, options: ChannelOptions): (() => void) => {
      const client = new clientClass(address, credentials, { ...options, ...keepalive });
      const { path, requestSerialize, responseDeserialize } = secretDiscoveryService.StreamSecrets;
      const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
      let isOpen = true;
      const close = (): void => {
        isOpen = false;
        stream.cancel();
        client.close();
      };
      stream.on('data', (response: DiscoveryResponse) => {
        failures = 0;
        answer(stream, response, () => isOpen);
      });
      stream.on('error', ({ code, details }: ServiceError) => {
        if (isOpen) again(`${status[code]}: ${details}${clockHint(details)}`);
      });
      stream.on('end', () => {
        if (isOpen) again('the stream was ended');
      });
      stream.write(request({}));
      return close;
    };
    const answer = (stream: Stream, response: DiscoveryResponse, isOpen: () => boolean): void => {
      const { nonce: responseNonce, versionInfo } = response;
      const wrong = take(response, () => {
        if (isOpen()) stream.write(request({ responseNonce, versionInfo }));
      });
      if (wrong === undefined) return;
      listener.onTrouble(`the bundles of citadel at ${address} are not taken: ${wrong}; those of before are kept`);
      stream.write(request({ responseNonce, errorDetail: { code: status.INVALID_ARGUMENT, message: wrong } }));
    };
    const take = ({ resources }: DiscoveryResponse, onDelivered: () => void): string | undefined => {
      const [secret] = resources;
      if (!secret) return 'there is no secret in the answer';
      const read = readBundlesSecret(secret.value, trustDomain);
      return 'error' in read ? `the secret ${read.error}` : listener.onBundles(read.bundles, onDelivered);
    };

    connect();
    return {
      restart: () => {
        callOff?.();
        end();
        connect();
      },
      stop: () => {
        callOff?.();
        end();
      },
    };
  };
}

function request(more: Parameters<typeof create<typeof DiscoveryRequestSchema>>[1]): DiscoveryRequest {
  return create(DiscoveryRequestSchema, { typeUrl: TypeUrl.secret, resourceNames: [rootSecretName], ...more });
}
