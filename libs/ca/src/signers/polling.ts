import { SignerUnavailableError } from './certificate-signer.js';

/** How long an external signer is waited for, with a clock and a pause of the caller's. */
export interface Patience {
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Looks again, with growing pauses, until there is something.
 * @throws SignerUnavailableError when time is up
 */
export async function until<T>(
  look: () => Promise<T | undefined>,
  what: string,
  { timeoutMs, now, pause }: Patience,
): Promise<T> {
  const deadline = now() + timeoutMs;
  for (let wait = firstPauseMs; ; wait = Math.min(wait * 2, longestPauseMs)) {
    const found = await look();
    if (found !== undefined) return found;
    if (now() + wait > deadline) throw new SignerUnavailableError(`${what}: not in ${timeoutMs} ms`);
    await pause(wait);
  }
}
