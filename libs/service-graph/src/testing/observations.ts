import type { EdgeEnd, Observation } from '../edges/observation.js';

/** `reviews-v2` of namespace default, app `reviews`, version `v2`. */
export function end(workload: string, namespace = 'default'): EdgeEnd {
  const [app = '', version = ''] = workload.split('-');
  return { workload, namespace, app, version };
}

/** A request from one workload to another that went well, in 5 ms, as the callee's proxy reports it. */
export function request(source: string, destination: string, more: Partial<Observation> = {}): Observation {
  const to = end(destination);
  return {
    source: end(source),
    destination: to,
    service: `${to.app}.default.svc.cluster.local`,
    protocol: 'http',
    reporter: 'destination',
    mutualTls: true,
    responseCode: 200,
    grpcStatus: undefined,
    responseFlags: '',
    durationMs: 5,
    requestBytes: 10,
    responseBytes: 100,
    ...more,
  };
}

/** What both proxies say of one request. */
export function both(source: string, destination: string, more: Partial<Observation> = {}): readonly Observation[] {
  return [
    request(source, destination, { ...more, reporter: 'source', mutualTls: undefined }),
    request(source, destination, more),
  ];
}
