import type { CheckVerdict, QuotaRequest, QuotaVerdict } from '../adapters/adapter.js';
import type { AttributeBag } from '../attributes/value-type.js';
import type { CheckDispatch, MixerPolicy, QuotaDispatch, ReportDispatch } from '../policy/policy.js';

/** Why a handler gave no verdict. What follows from it, the rule's failure policy says. */
export interface DispatchFailure {
  readonly reason:
    | 'no-value' // an expression of the instance has no value for this request
    | 'no-handler' // the adapter could not be made
    | 'error' // the adapter threw
    | 'timeout'
    | 'overload' // it is late so often, or so much waits for it, that it is not asked
    | 'nonsense'; // what it gave is no verdict
  readonly message: string;
}

export type Outcome<T> =
  | { readonly verdict: T; readonly failure?: undefined }
  | { readonly verdict?: undefined; readonly failure: DispatchFailure };

type MaybeLater<T> = T | Promise<T>;

/** A policy whose handlers are at work. A handler that fails or hangs costs nobody but the rules that ask it. Never throws. */
export interface RunningPolicy {
  readonly policy: MixerPolicy;
  /** At once where the adapter answers at once. */
  check(dispatch: CheckDispatch, bag: AttributeBag): MaybeLater<Outcome<CheckVerdict>>;
  quota(dispatch: QuotaDispatch, bag: AttributeBag, request: QuotaRequest): MaybeLater<Outcome<QuotaVerdict>>;
  /** Made at once, handed over with others of its kind soon after; nobody waits. */
  report(dispatch: ReportDispatch, bag: AttributeBag): void;
  readonly status: readonly HandlerStatus[];
}

/** How it stands with a handler, for whoever runs the mesh. */
export interface HandlerStatus {
  readonly name: string;
  readonly adapter: string;
  /** `failed`: there is none at work; `stale`: the one of before is, as the new one could not be made. */
  readonly state: 'starting' | 'ready' | 'stale' | 'failed' | 'overload';
  /** The last failure or warning. */
  readonly message: string | undefined;
  readonly since: number;
  readonly dispatches: number;
  readonly failures: number;
}
