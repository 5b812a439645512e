/** Exit codes of every command: 0 all is well, 1 problems were found or something failed, 2 the command line is wrong. */
export const ExitCode = { ok: 0, problems: 1, usage: 2 } as const;

/** Ends a command with one sentence for the user; the stack is shown only with --debug. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: number = ExitCode.problems,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command line itself is wrong. */
export function usageError(message: string): CommandError {
  return new CommandError(message, ExitCode.usage);
}
