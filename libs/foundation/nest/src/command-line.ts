import { parseArgs, type ParseArgsConfig } from 'node:util';

type Flags = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Flags> = ReturnType<typeof parseArgs<{ args: string[]; options: O }>>['values'];

/** Thrown when the command line cannot be understood; the message says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * The values of a program's flags.
 * @throws UsageError for flags that there are not, and for arguments
 */
export function readFlags<const O extends Flags>(argv: readonly string[], options: O): Values<O> {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** `127.0.0.1:15012`, `[::1]:0`. @throws UsageError */
export function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw new UsageError(`'${text}' is not HOST:PORT`);
  return { host: match[1] ?? match[2] ?? '', port };
}
