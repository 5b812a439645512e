import { createPrivateKey, X509Certificate } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  type Metadata,
  type Server,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fromBinary } from '@bufbuild/protobuf';
import {
  workloadApiLoaderOptions,
  workloadApiProto,
  type X509BundlesResponse,
  type X509SvidResponse,
} from '@seine/api';
import { splitCertificates, type TrustBundles } from '@seine/ca';
import { SecretSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { readBundlesSecret, rootSecretName, type SecretSource, workloadSecretName } from '@seine/sds';
import type { Admission } from './sds-server.js';

/** Whoever sends it knows what it asks: a browser or a proxy that was tricked does not (SPIFFE Workload Endpoint, 3). */
const securityHeader = 'workload.spiffe.io';

let definition: ServiceDefinition | undefined;

function workloadApi(): ServiceDefinition {
  if (definition) return definition;
  const loaded = loadPackageDefinition(loadSync(fileURLToPath(workloadApiProto), workloadApiLoaderOptions));
  return (definition = (loaded as unknown as { SpiffeWorkloadAPI: { service: ServiceDefinition } }).SpiffeWorkloadAPI
    .service);
}

function der(certificates: readonly string[]): Buffer {
  return Buffer.concat(certificates.map((pem) => new X509Certificate(pem).raw));
}

/** What a workload has now. */
interface Held {
  readonly spiffeId: string;
  readonly trustDomain: string;
  readonly chain: readonly string[];
  readonly key: string;
}

function textOf(source: { readonly specifier: { readonly value?: unknown } } | undefined): string {
  const value = source?.specifier.value;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : '';
}

function heldOf(source: SecretSource): Held | undefined {
  const secret = source.get(workloadSecretName);
  const { type } = secret ? fromBinary(SecretSchema, secret.resource.value) : { type: undefined };
  if (type?.case !== 'tlsCertificate') return undefined;
  const chain = splitCertificates(textOf(type.value.certificateChain));
  const [, spiffeId = '', trustDomain = ''] =
    /^URI:(spiffe:\/\/([^/]+)\/.+)$/.exec(new X509Certificate(chain[0] ?? '').subjectAltName ?? '') ?? [];
  return { spiffeId, trustDomain, chain, key: textOf(type.value.privateKey) };
}

function bundlesOf(source: SecretSource, trustDomain: string): TrustBundles {
  const secret = source.get(rootSecretName);
  const read = secret && readBundlesSecret(secret.resource.value, trustDomain);
  return read && 'bundles' in read ? read.bundles : new Map();
}

function byId(bundles: Iterable<readonly [string, readonly string[]]>): Readonly<Record<string, Buffer>> {
  return Object.fromEntries([...bundles].map(([domain, roots]) => [`spiffe://${domain}`, der(roots)]));
}

function svidResponse(source: SecretSource): X509SvidResponse | undefined {
  const held = heldOf(source);
  const bundles = held && bundlesOf(source, held.trustDomain);
  const own = held && bundles?.get(held.trustDomain);
  if (!held || !bundles || !own) return undefined;
  const { spiffeId, trustDomain, chain, key } = held;
  const x509SvidKey = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  return {
    svids: [{ spiffeId, x509Svid: der(chain), x509SvidKey, bundle: der(own) }],
    federatedBundles: byId([...bundles].filter(([domain]) => domain !== trustDomain)),
  };
}

export interface WorkloadApiOptions {
  readonly trustDomain: string;
  readonly admit: (metadata: Metadata) => Admission;
  readonly onWarning: (message: string) => void;
}

/** Serves SPIFFE's Workload API beside SDS: the same identity to the same callers, for programs that speak TLS themselves. */
export function serveWorkloadApi(server: Server, { trustDomain, admit, onWarning }: WorkloadApiOptions): void {
  const stream =
    <Response>(read: (source: SecretSource) => Response | undefined) =>
    (call: ServerWritableStream<object, Response>): void => {
      const end = (code: status, details: string): void => void call.emit('error', { code, details });
      if (call.metadata.get(securityHeader)[0] !== 'true') {
        end(status.INVALID_ARGUMENT, `security header missing from request: ${securityHeader}: true`);
        return;
      }
      const admission = admit(call.metadata);
      if ('error' in admission) {
        onWarning(`a call of the Workload API is refused: ${admission.error}`);
        end(status.PERMISSION_DENIED, admission.error);
        return;
      }
      // Who asks before there is a certificate waits for it.
      const send = (): void => {
        const response = read(admission);
        if (response) call.write(response);
      };
      const ends = [workloadSecretName, rootSecretName].map((name) => admission.watch(name, send));
      for (const event of ['cancelled', 'close', 'error']) call.on(event, () => ends.forEach((stop) => stop()));
      send();
    };
  server.addService(workloadApi(), {
    fetchX509Svid: stream(svidResponse),
    fetchX509Bundles: stream((source): X509BundlesResponse | undefined => {
      const bundles = bundlesOf(source, trustDomain);
      return bundles.size === 0 ? undefined : { bundles: byId(bundles) };
    }),
  });
}
