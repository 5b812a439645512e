import { type EdgeEnd, type EdgeIdentity, edgeOf, type Observation } from '../edges/observation.js';

/** `reviews-v2` of namespace default, app `reviews`, version `v2`. */
export function end(workload: string, namespace = 'default'): EdgeEnd {
  const [app = '', version = ''] = workload.split('-');
  return { workload, namespace, app, version };
}

/** What a test says of a request besides who calls whom. */
export interface RequestOptions extends Partial<Omit<Observation, 'edge'>>, Partial<EdgeIdentity> {}

/** A request from one workload to another that went well, in 5 ms, as the callee's proxy reports it. */
export function request(from: string, to: string, more: RequestOptions = {}): Observation {
  const { source = end(from), destination = end(to), protocol = 'http', ...rest } = more;
  const { service = `${destination.app}.default.svc.cluster.local`, ...observed } = rest;
  return {
    edge: edgeOf({ source, destination, service, protocol }),
    reporter: 'destination',
    mutualTls: true,
    responseCode: 200,
    grpcStatus: undefined,
    responseFlags: '',
    durationMs: 5,
    requestBytes: 10,
    responseBytes: 100,
    ...observed,
  };
}

/** What both proxies say of one request. */
export function both(from: string, to: string, more: RequestOptions = {}): readonly Observation[] {
  return [request(from, to, { ...more, reporter: 'source', mutualTls: undefined }), request(from, to, more)];
}
