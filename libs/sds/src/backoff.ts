const firstMs = 500;
/** While a certificate is in force there is no hurry. */
const mostMs = 60_000;
/** A workload without a certificate in force is cut off: it is to be back within ten seconds of its authority (S-5). */
const mostWithoutMs = 8_000;
const leastCapMs = 1_000;

/**
 * How long to wait after a failure: doubled each time, the upper half of it random. Shorter as the end of the
 * certificate comes near, so that even one of a few seconds is tried for several times.
 * @param failures so far, at least 1
 * @param remainingMs until the certificate expires; 0 or less where none is in force
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function retryDelay(failures: number, remainingMs: number, random: number): number {
  const cap = remainingMs > 0 ? Math.min(mostMs, Math.max(leastCapMs, remainingMs / 8)) : mostWithoutMs;
  const wait = Math.min(cap, firstMs * 2 ** Math.min(failures - 1, 20));
  return wait * (0.5 + random / 2);
}
