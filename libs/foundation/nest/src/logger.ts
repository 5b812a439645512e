import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, pino } from 'pino';

export interface LoggerOptions {
  /** The program, in each line. */
  readonly name: string;
  /** fatal, error, warn, info, debug or trace. */
  readonly level?: string;
  /** Where lines go; by default standard error, since standard output is for what a program has to say to its caller. */
  readonly destination?: DestinationStream;
}

/** Nest hands over a message, perhaps a stack, and last the context (a class name). */
function split(params: readonly unknown[]): { readonly context?: string; readonly details: readonly unknown[] } {
  const last = params.at(-1);
  return typeof last === 'string' && params.length > 0
    ? { context: last, details: params.slice(0, -1) }
    : { details: params };
}

/** Logs lines of JSON: for Nest, and for everything else in the program. */
export class JsonLogger implements LoggerService {
  readonly #pino: ReturnType<typeof pino>;

  constructor({ name, level = 'info', destination }: LoggerOptions) {
    this.#pino = pino({ name, level, base: { name } }, destination ?? pino.destination({ dest: 2, sync: true }));
  }

  log(message: unknown, ...params: unknown[]): void {
    this.#write('info', message, params);
  }
  error(message: unknown, ...params: unknown[]): void {
    this.#write('error', message, params);
  }
  warn(message: unknown, ...params: unknown[]): void {
    this.#write('warn', message, params);
  }
  debug(message: unknown, ...params: unknown[]): void {
    this.#write('debug', message, params);
  }
  verbose(message: unknown, ...params: unknown[]): void {
    this.#write('trace', message, params);
  }
  fatal(message: unknown, ...params: unknown[]): void {
    this.#write('fatal', message, params);
  }

  #write(level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace', message: unknown, params: unknown[]): void {
    const { context, details } = split(params);
    const error = [message, ...details].find((value) => value instanceof Error);
    const fields = {
      ...(context === undefined ? {} : { context }),
      ...(error === undefined ? {} : { err: error }),
      ...(details.length > 0 && error === undefined ? { details } : {}),
    };
    this.#pino[level](fields, message instanceof Error ? message.message : String(message));
  }
}
