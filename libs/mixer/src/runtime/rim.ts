/** Time, as whoever runs mixer has it. */
export interface RuntimeRim {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs something once, after a while. @returns forgets it */
  readonly later: (run: () => void, ms: number) => () => void;
}

/** What whoever counts and logs is told. */
export interface RuntimeEvents {
  /** An adapter was asked, or was handed reports: `failure` tells how it went wrong. */
  readonly dispatched?: (handler: string, adapter: string, ms: number, failure: boolean) => void;
  /** Reports that were not handed over: there is no handler, or too many wait for it. */
  readonly dropped?: (handler: string, adapter: string, count: number) => void;
  /** An expression had no value, so that an instance could not be made. */
  readonly noValue?: (instance: string) => void;
  /** A text of an instance was cut. */
  readonly cut?: (instance: string) => void;
  readonly handlerMade?: (handler: string, adapter: string, ok: boolean) => void;
  readonly handlerClosed?: (handler: string, adapter: string, ok: boolean) => void;
  /** A handler's state or last message has changed. */
  readonly warned?: (handler: string, message: string) => void;
}
