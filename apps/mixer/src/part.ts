import type { WorkloadIdentity } from '@seine/ca';
import type { GrpcStream } from '@seine/h2grpc';

/** Who asks; undefined on plain text, where nobody proves who they are. */
export type Caller = WorkloadIdentity | undefined;

/** @throws GrpcError UNAUTHENTICATED where a certificate was shown that proves nothing */
export type CallerOf = (call: GrpcStream) => Caller;

/** A gRPC method on mixer's port. */
export interface Endpoint {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly handle: (call: GrpcStream, callerOf: CallerOf) => void;
}

/** One of the things that mixer does, as it hangs on its port. */
export interface MixerPart {
  readonly endpoints: readonly Endpoint[];
  /** Sends what it still holds. */
  readonly close?: () => void | Promise<void>;
}
