import { createHash, timingSafeEqual } from 'node:crypto';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The token of a workload as its file has it, now and before: an Envoy may not have read the new one yet. */
export class TokenFile {
  #token: string | undefined;
  #accepted: readonly Buffer[] = [];

  /**
   * @param text undefined where there is no such file
   * @returns what an operator should know of it, undefined when nothing is wrong
   */
  read(text: string | undefined): string | undefined {
    const token = text?.trim();
    if (token === undefined || token === '') {
      this.#token = undefined;
      return token === undefined ? 'is not there' : 'is empty';
    }
    if (token !== this.#token) this.#accepted = [digest(token), ...this.#accepted].slice(0, 2);
    this.#token = token;
    return token === text
      ? undefined
      : 'has white space around the token (a newline at its end?): an Envoy that sends it from this file is cut off with status 13 and no message';
  }

  /** For citadel. */
  get token(): string | undefined {
    return this.#token;
  }

  matches(bearer: string): boolean {
    const shown = digest(bearer);
    return this.#accepted.some((known) => timingSafeEqual(known, shown));
  }
}
