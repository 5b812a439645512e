import { createHash, timingSafeEqual } from 'node:crypto';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The token of a workload as its file has it, now and before: an Envoy may not have read the new one yet. */
export class TokenFile {
  #token: string | undefined;
  #accepted: readonly Buffer[] = [];

  /** @returns what an operator should know of the text, undefined when nothing is wrong */
  read(text: string | undefined): string | undefined {
    const token = text?.trim();
    if (token === this.#token) return undefined;
    if (token === undefined || token === '') {
      this.#token = undefined;
      return token === undefined ? 'is not there' : 'is empty';
    }
    this.#token = token;
    this.#accepted = [digest(token), ...this.#accepted].slice(0, 2);
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
