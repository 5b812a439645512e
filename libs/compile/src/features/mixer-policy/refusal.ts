import { rpcStatus } from '@seine/mixer';

/** The answer to a request that may not go on: what mixer would have answered. */
export interface Refusal {
  /** Status code of HTTP. */
  readonly status: number;
  readonly body: string;
  /** The same with what the request has in it, as Envoy writes it (command operators of access logs). */
  readonly format?: string;
}

/**
 * `PERMISSION_DENIED:denyall.istio-system:Not allowed`, as Mixer's clients saw it. Undefined for codes that Envoy cannot
 * answer with.
 * @param code google.rpc.Code @param written the message with command operators
 */
export function refusal(code: number, handler: string, message: string, written?: string): Refusal | undefined {
  const { name, http } = rpcStatus(code);
  // CANCELLED, 499, is none of Envoy's.
  if (http === 499) return undefined;
  const start = `${name}:${handler}:`;
  const format = written === undefined ? {} : { format: `${start.replaceAll('%', '%%')}${written}` };
  return { status: http, body: start + message, ...format };
}
