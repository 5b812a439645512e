// Sidecars that ask mixer whether requests may go on. Takes its task as JSON in the first argument, prints the result as JSON.
import { create, toBinary } from '@bufbuild/protobuf';
import { CheckRequestSchema } from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { load } from './unary-load.mjs';

const task = JSON.parse(process.argv[2]);

const socketAddress = (address, portValue) => ({
  address: {
    address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: portValue } } },
  },
});

/** CheckRequest as the sidecar of `ratings` asks it about a request of Bookinfo's `reviews`. */
function request(caller) {
  const address = `10.${(caller >> 16) & 255}.${(caller >> 8) & 255}.${caller & 255}`;
  const headers = {
    ':authority': 'ratings:9080',
    ':method': 'GET',
    ':path': '/ratings/0',
    ':scheme': 'http',
    accept: 'application/json',
    'accept-encoding': 'gzip, deflate',
    cookie: 'session=eyJ1c2VyIjoiam9obiJ9.Z0Rw.2c8Y8l9wYv7bO3m1',
    'end-user': 'jason',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'x-b3-sampled': '1',
    'x-b3-spanid': 'e457b5a2e4d86bd1',
    'x-b3-traceid': '80f198ee56343ba864fe8b2a57d3eff7',
    'x-forwarded-for': address,
    'x-forwarded-proto': 'http',
    'x-request-id': '2a3b1c8e-6d54-4a1f-9f0e-0d6b3f1c2e77',
    ...(task.refused && { 'x-user': 'john' }),
  };
  return Buffer.from(
    toBinary(
      CheckRequestSchema,
      create(CheckRequestSchema, {
        attributes: {
          source: {
            ...socketAddress(address, 40_000),
            principal: 'spiffe://cluster.local/ns/default/sa/bookinfo-reviews',
          },
          destination: {
            ...socketAddress('10.200.0.2', 9080),
            principal: 'spiffe://cluster.local/ns/default/sa/bookinfo-ratings',
          },
          request: {
            time: { seconds: 1_700_000_000n },
            http: {
              id: '1234567890123456789',
              method: 'GET',
              path: '/ratings/0',
              host: 'ratings:9080',
              scheme: 'http',
              protocol: 'HTTP/1.1',
              headers,
            },
          },
          contextExtensions: {
            'seine.reporter': 'inbound',
            'seine.workload': 'default/ratings-v1',
            'seine.service': 'ratings.default.svc.cluster.local',
          },
          metadataContext: { filterMetadata: {} },
        },
      }),
    ),
  );
}

const allowed = Buffer.from([0x0a, 0x00, 0x1a, 0x00]);

await load(task, {
  path: '/envoy.service.auth.v3.Authorization/Check',
  headers: [],
  messages: Array.from({ length: task.callers }, (_, caller) => request(caller)),
  isExpected: (answer) => (task.refused ? answer.includes('PERMISSION_DENIED:') : answer.equals(allowed)),
});
