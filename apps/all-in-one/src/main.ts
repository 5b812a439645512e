import { EnvoyNotFoundError, StartError } from '@seine/envoy-process';
import { parseArguments, UsageError } from './arguments.js';
import { MeshOnThisMachine } from './mesh-on-this-machine.js';
import { PreflightError } from './startup/preflight.js';

/** Errors that are answers: their message is all there is to say. */
const expected = [UsageError, PreflightError, EnvoyNotFoundError, StartError];

const oneBreathMs = 1000;

async function main(): Promise<void> {
  const mesh = new MeshOnThisMachine(parseArguments(process.argv.slice(2), process.env, process.cwd()));
  let askedAt: number | undefined;
  const end = (): void => {
    // The first asks; whoever asks again does not want to wait, and the watchdog ends what is left. A signal to the whole
    // process group comes twice in one breath: to this process, and handed on by its parent.
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > oneBreathMs) process.exit(130);
      return;
    }
    askedAt = performance.now();
    mesh.stop().then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  try {
    await mesh.start();
  } catch (error) {
    // A stop in the middle of the start makes the start fail; that is no failure.
    if (askedAt !== undefined) return;
    await mesh.stop();
    throw error;
  }
}

function fail(error: unknown): never {
  const known = expected.some((kind) => error instanceof kind);
  console.error(known ? (error as Error).message : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}

main().catch(fail);
