import type { LoggerService } from '@nestjs/common';

/** Whose news are meant for people; the rest tells how Nest puts the program together. */
const ours: ReadonlySet<unknown> = new Set(['registry', 'pilot']);

/** What the services have to say, for a person at a terminal. */
export class TerminalLogger implements LoggerService {
  constructor(private readonly say: (line: string) => void) {}

  /** Nest hands over the context, the name of who speaks, last. */
  log(message: unknown, ...params: unknown[]): void {
    if (ours.has(params.at(-1))) this.say(`  ${textOf(message)}`);
  }

  warn(message: unknown): void {
    this.say(`! ${textOf(message)}`);
  }

  error(message: unknown): void {
    this.say(`! ${textOf(message)}`);
  }
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.stack ?? message.message;
  return typeof message === 'string' ? message : JSON.stringify(message);
}
