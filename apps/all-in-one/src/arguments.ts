import path from 'node:path';
import { parseArgs } from 'node:util';

/** What `seinectl up` (npm start) was asked for. */
export interface UpOptions {
  /** A folder of YAML in place of the sample's routing rules. */
  readonly config: string | undefined;
  readonly sample: boolean;
  /** Forget what was applied. */
  readonly fresh: boolean;
  readonly stateDir: string;
  /** An Envoy of the user's. */
  readonly envoyPath: string | undefined;
  /** False: the control plane alone. */
  readonly envoy: boolean;
  readonly download: boolean;
  readonly intercept: boolean;
}

/** Thrown when the command line cannot be followed; the message says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Env = Readonly<Record<string, string | undefined>>;

/** @throws UsageError */
export function parseArguments(argv: readonly string[], env: Env, cwd: string): UpOptions {
  const values = readFlags(argv);
  return {
    config: values.config === undefined ? undefined : path.resolve(cwd, values.config),
    sample: !values['no-sample'],
    fresh: values.fresh ?? false,
    stateDir: stateDir(values.state, env, cwd),
    envoyPath: values.envoy === undefined ? undefined : path.resolve(cwd, values.envoy),
    envoy: !values['no-envoy'],
    download: !values['no-download'],
    intercept: values.intercept ?? false,
  };
}

function readFlags(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        config: { type: 'string' },
        'no-sample': { type: 'boolean' },
        fresh: { type: 'boolean' },
        state: { type: 'string' },
        envoy: { type: 'string' },
        'no-envoy': { type: 'boolean' },
        'no-download': { type: 'boolean' },
        intercept: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The --state flag, else SEINE_STATE, else `seine` in the user's state folder (XDG Base Directory Specification). */
function stateDir(flag: string | undefined, env: Env, cwd: string): string {
  const chosen = flag ?? env['SEINE_STATE'];
  if (chosen) return path.resolve(cwd, chosen);
  return path.join(env['XDG_STATE_HOME'] || path.join(env['HOME'] ?? '', '.local', 'state'), 'seine');
}
