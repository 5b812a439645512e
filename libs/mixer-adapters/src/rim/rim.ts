/** What adapters write text to: the part of a writable stream that they need. */
export interface TextStream {
  write(text: string): unknown;
  /** Bytes that wait to be written. */
  readonly writableLength: number;
}

/** What reaches adapters from outside beside sockets and files. */
export interface AdapterRim {
  readonly fetch: typeof fetch;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** From 0 on, below 1. */
  readonly random: () => number;
}

/** This process's own. */
export function processRim(): AdapterRim {
  return {
    fetch: (...args) => fetch(...args),
    stdout: process.stdout,
    stderr: process.stderr,
    random: () => Math.random(),
  };
}
