/** Runs asynchronous tasks one after the other, in the order in which they come. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // The next task starts after this one however it ends; its caller sees the error.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
