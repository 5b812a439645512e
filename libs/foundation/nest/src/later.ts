/** The longest that Node's timers wait; a longer one fires at once. */
const longest = 2 ** 31 - 1;

/**
 * Runs a function after so many milliseconds, however many. Does not keep the program alive.
 * @returns calls it off
 */
export function later(run: () => void, ms: number): () => void {
  const wait = (left: number): NodeJS.Timeout =>
    setTimeout(
      () => {
        if (left > longest) timer = wait(left - longest);
        else run();
      },
      Math.min(left, longest),
    ).unref();
  let timer = wait(ms);
  return () => clearTimeout(timer);
}
