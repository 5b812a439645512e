import { describe, expect, it } from '@jest/globals';
import { readExposition } from '../exposition/read-exposition.js';
import { writeExposition } from '../exposition/write-exposition.js';
import { withIstioNames } from './istio-names.js';

const renamed = (text: string): string => writeExposition(withIstioNames(readExposition(text)));

describe('Istio’s names', () => {
  it('have no prefix of Envoy', () => {
    expect(
      renamed(`# TYPE envoy_seine_istio_requests_total counter
envoy_seine_istio_requests_total{reporter="source"} 3
# TYPE envoy_seine_istio_request_bytes histogram
envoy_seine_istio_request_bytes_bucket{reporter="source",le="0.5"} 0
envoy_seine_istio_request_bytes_sum{reporter="source"} 0
envoy_seine_istio_request_bytes_count{reporter="source"} 3
# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{envoy_cluster_name="x"} 3
`),
    ).toBe(`# TYPE istio_requests_total counter
istio_requests_total{reporter="source"} 3
# TYPE istio_request_bytes histogram
istio_request_bytes_bucket{reporter="source",le="0.5"} 0
istio_request_bytes_sum{reporter="source"} 0
istio_request_bytes_count{reporter="source"} 3
# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{envoy_cluster_name="x"} 3
`);
  });

  it('go with `unknown` where a proxy had nothing to say, but for what Istio leaves empty', () => {
    expect(
      renamed(
        'envoy_seine_istio_requests_total{source_principal="",source_app="-",grpc_response_status="",response_flags="-",destination_app="a-b"} 1\n',
      ),
    ).toContain(
      'istio_requests_total{source_principal="unknown",source_app="unknown",grpc_response_status="",response_flags="-",destination_app="a-b"} 1',
    );
  });

  it('sum up what two spellings of `unknown` kept apart', () => {
    expect(
      renamed('envoy_seine_istio_x{a=""} 1\nenvoy_seine_istio_x{a="-"} 2\nenvoy_seine_istio_x{a="unknown"} 4\n'),
    ).toContain('istio_x{a="unknown"} 7');
  });
});
