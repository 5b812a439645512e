// What an Envoy has open at its agent: a stream for its certificate and one for its roots, acknowledged as they come.
import { credentials, makeGenericClientConstructor, Metadata } from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../libs/api/envoy/dist/gen/envoy/service/discovery/v3/discovery_pb.js';

const typeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
const method = '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets';
const serialize = (message) => Buffer.from(toBinary(DiscoveryRequestSchema, message));
const deserialize = (bytes) => fromBinary(DiscoveryResponseSchema, bytes);
const ClientClass = makeGenericClientConstructor({}, 'sds');

/** @param sockets of the agent, one a workload */
export function openSecretStreams(sockets) {
  const have = new Map();
  const clients = sockets.map((socket) => {
    const client = new ClientClass(`unix:${socket}`, credentials.createInsecure());
    for (const name of ['default', 'ROOTCA']) {
      const stream = client.makeBidiStreamRequest(method, serialize, deserialize, new Metadata());
      const ask = (more = {}) =>
        stream.write(create(DiscoveryRequestSchema, { typeUrl, resourceNames: [name], ...more }));
      stream.on('data', ({ nonce, versionInfo }) => {
        have.set(`${socket} ${name}`, versionInfo);
        ask({ responseNonce: nonce, versionInfo });
      });
      stream.on('error', () => undefined);
      ask();
    }
    return client;
  });
  return {
    /** How many workloads have both secrets. */
    complete: () =>
      sockets.filter((socket) => ['default', 'ROOTCA'].every((name) => have.has(`${socket} ${name}`))).length,
    close: () => clients.forEach((client) => client.close()),
  };
}
