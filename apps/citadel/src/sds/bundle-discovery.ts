import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import {
  DeltaSecretStream,
  rootSecretName,
  type SdsEvents,
  SdsProtocolError,
  secretDiscoveryService,
  type SecretSource,
  SotwSecretStream,
} from '@seine/sds';
import { verifyPeer } from '@seine/ca';
import type { CitadelService } from '../citadel.service.js';
import type { Follower } from '../followers.js';

/** What requests of both kinds of stream have. */
interface Acknowledging {
  readonly responseNonce: string;
  readonly errorDetail?: unknown;
}
interface Stream<Request> {
  receive(request: Request): void;
  close(): void;
}
interface Answering {
  readonly nonce: string;
}

/** A client that answers nothing must not fill the memory. */
const mostOutstanding = 100;
/** Followers that a citadel has at once: some for each node of a large mesh. */
const mostStreams = 20_000;

/** The trust bundle as a secret; citadel has no other. */
function bundleSource({ trust }: CitadelService): SecretSource {
  return {
    refusal: (name) =>
      name === rootSecretName ? undefined : `is none that citadel serves: over SDS it gives ${rootSecretName} only`,
    get: (name) => trust.secrets.get(name),
    watch: (name, listener) => trust.secrets.watch(name, listener),
  };
}

/**
 * Serves the trust bundle over Envoy's secret discovery service: `ROOTCA`, pushed when it changes. Who acknowledges it
 * says by that that all it serves in turn have been sent it: a rotation waits for these. Bundles are no secret, so
 * anybody may follow; the word of those who show a certificate of the mesh counts.
 */
export function serveBundle(server: Server, citadel: CitadelService, onWarning: (message: string) => void): void {
  const source = bundleSource(citadel);
  const events: SdsEvents = {
    onRefusedName: (name, reason) => onWarning(`the secret ${JSON.stringify(name)} ${reason}`),
    onNack: (names, message) => onWarning(`a follower refuses ${names.join(', ')}: ${message}`),
  };
  const handle =
    <Request extends Acknowledging, Response extends Answering>(
      open: (send: (response: Response) => void) => Stream<Request>,
    ) =>
    (call: ServerDuplexStream<Request, Response>): void => {
      if (citadel.followers.list().length >= mostStreams) {
        end(call, status.RESOURCE_EXHAUSTED, 'too many streams');
        return;
      }
      follow(call, citadel, open, onWarning);
    };
  server.addService(secretDiscoveryService, {
    StreamSecrets: handle((send) => new SotwSecretStream(source, send, events)),
    DeltaSecrets: handle((send) => new DeltaSecretStream(source, send, events)),
  });
}

function follow<Request extends Acknowledging, Response extends Answering>(
  call: ServerDuplexStream<Request, Response>,
  citadel: CitadelService,
  open: (send: (response: Response) => void) => Stream<Request>,
  onWarning: (message: string) => void,
): void {
  const follower = followerOf(call, citadel);
  const versions = new Map<string, string>();
  const forget = citadel.followers.add(follower);
  const stream = open((response) => {
    versions.set(response.nonce, citadel.trust.version);
    const oldest = versions.keys().next().value;
    if (versions.size > mostOutstanding && oldest !== undefined) versions.delete(oldest);
    call.write(response);
  });
  const close = (): void => {
    stream.close();
    forget();
  };
  call.on('data', (request: Request) => {
    const acknowledged = versions.get(request.responseNonce);
    if (acknowledged !== undefined && !request.errorDetail) follower.acknowledged = acknowledged;
    try {
      stream.receive(request);
    } catch (error) {
      close();
      const isClients = error instanceof SdsProtocolError;
      const message = error instanceof Error ? error.message : String(error);
      onWarning(`a stream of ${follower.address} is ended: ${message}`);
      end(call, isClients ? status.INVALID_ARGUMENT : status.INTERNAL, message);
    }
  });
  for (const event of ['end', 'cancelled', 'close', 'error']) call.on(event, close);
  call.on('end', () => call.end());
}

function followerOf(
  call: { getPeer(): string; getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } } },
  citadel: CitadelService,
): Follower {
  const { raw } = call.getAuthContext().sslPeerCertificate ?? {};
  const verdict = raw && verifyPeer([raw, ...citadel.between()], citadel.trust.own, citadel.now());
  const spiffeId = verdict && 'spiffeId' in verdict ? verdict.spiffeId : undefined;
  return { spiffeId, address: call.getPeer(), acknowledged: undefined };
}

function end<Request, Response>(call: ServerDuplexStream<Request, Response>, code: status, details: string): void {
  call.emit('error', { code, details });
}
