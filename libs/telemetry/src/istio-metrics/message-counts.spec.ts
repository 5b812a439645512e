import { describe, expect, it } from '@jest/globals';
import { readExposition } from '../exposition/read-exposition.js';
import { messageCounts } from './message-counts.js';

const own = {
  workload: 'greeter-v1',
  namespace: 'default',
  service: 'greeter',
  revision: 'v1',
  app: 'greeter',
  version: 'v1',
  cluster: 'unknown',
};

const counted = (text: string) => {
  const families = messageCounts(readExposition(text), own);
  return [...families].flatMap(([name, { series }]) =>
    [...series].map(([key, value]) => {
      const labels: Record<string, string | undefined> = Object.fromEntries(
        [...key.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', of]) => [label, of]),
      );
      return { name, value, labels };
    }),
  );
};

describe('gRPC messages', () => {
  it('that a client sent and got are counted at the source, by service', () => {
    const [requests, responses] = counted(`# TYPE envoy_cluster_grpc_request_message_count counter
envoy_cluster_grpc_request_message_count{envoy_cluster_name="outbound|50051||greeter.default.svc.cluster.local;"} 2
envoy_cluster_grpc_request_message_count{envoy_cluster_name="outbound|50051|v2|greeter.default.svc.cluster.local;"} 1
envoy_cluster_grpc_request_message_count{envoy_cluster_name="xds-grpc"} 99
# TYPE envoy_cluster_grpc_response_message_count counter
envoy_cluster_grpc_response_message_count{envoy_cluster_name="outbound|50051||greeter.default.svc.cluster.local"} 3
`);
    expect(requests).toMatchObject({
      name: 'istio_request_messages_total',
      value: 3,
      labels: {
        reporter: 'source',
        source_workload: 'greeter-v1',
        destination_workload: 'unknown',
        destination_service: 'greeter.default.svc.cluster.local',
        destination_service_name: 'greeter',
        destination_service_namespace: 'default',
        request_protocol: 'grpc',
      },
    });
    expect(responses).toMatchObject({ name: 'istio_response_messages_total', value: 3 });
  });

  it('that a server got are counted at the destination', () => {
    expect(
      counted('envoy_cluster_grpc_request_message_count{envoy_cluster_name="inbound|50051||;"} 4\n'),
    ).toMatchObject([
      { value: 4, labels: { reporter: 'destination', destination_workload: 'greeter-v1', source_workload: 'unknown' } },
    ]);
  });

  it('of nobody are none', () => {
    expect(counted('other 1\n')).toEqual([]);
  });
});
