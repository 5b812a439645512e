import type { Refusal } from './hold-back.js';
import type { Variant } from './response.js';

/** One type on one stream, for `proxy-status`. Times in milliseconds since the epoch. */
export interface TypeStatus {
  readonly typeUrl: string;
  /** Version last sent; empty before. */
  readonly sent: string;
  /** Version last accepted; empty before. */
  readonly acked: string;
  /** When the response that waits for an answer was sent. */
  readonly pendingSince: number | undefined;
  readonly nack: { readonly message: string; readonly at: number; readonly version: string } | undefined;
}

export interface ProxyStatus {
  readonly id: string;
  readonly stream: number;
  readonly peer: string;
  readonly variant: Variant;
  readonly envoyVersion: string;
  readonly connectedAt: number;
  /** The newest mesh revision that it has accepted in everything it asked for. */
  readonly settledRevision: number;
  /** The newest revision that there is for it. */
  readonly goalRevision: number;
  readonly types: readonly TypeStatus[];
}

export interface ServerStatus {
  readonly proxies: readonly ProxyStatus[];
  readonly refusals: readonly Refusal[];
}
