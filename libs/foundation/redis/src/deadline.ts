/**
 * The promise's outcome, or a rejection with undefined after so many milliseconds. What has come in by then but waits
 * behind a busy event loop still counts: sockets are read once more before time is called.
 */
export async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- told apart from what the promise may reject with
      last = setImmediate(() => reject(undefined));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    clearImmediate(last);
  }
}
