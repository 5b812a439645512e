import { networkInterfaces } from 'node:os';
import { hasCommand } from './has-command.js';
import { PreflightError } from '../startup/preflight.js';
import { uplink } from './namespace-scripts.js';
import { network } from './plan-intercept.js';

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly uid: number | undefined;
  readonly has: (command: string) => Promise<boolean>;
  /** IPv4 addresses of this machine. */
  readonly addresses: readonly string[];
}

/** Commands, and the Debian package of each. */
const commands = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  'iptables-restore': 'iptables',
} as const;

/** @throws PreflightError when namespaces and redirection are not to be had here */
export async function checkRequirements(machine: Machine): Promise<void> {
  if (machine.platform !== 'linux')
    throw new PreflightError(`--intercept needs Linux (network namespaces, iptables); this is ${machine.platform}.`);
  if (machine.uid !== 0)
    throw new PreflightError(
      '--intercept needs root (network namespaces, iptables): start it with sudo, or without --intercept.',
    );
  for (const [command, debianPackage] of Object.entries(commands))
    if (!(await machine.has(command)))
      throw new PreflightError(`--intercept needs ${command}, which is not in PATH: apt-get install ${debianPackage}.`);
  const taken = machine.addresses.find((address) => address.startsWith(`${network.prefix}.`));
  if (taken !== undefined)
    throw new PreflightError(
      `--intercept needs the network ${network.prefix}.0/${network.length}, and this machine has the address ${taken} in it already.`,
    );
}

export function thisMachine(): Machine {
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    has: hasCommand,
    // Our own end of the cable may be left for a moment from a mesh that has just ended.
    addresses: Object.entries(networkInterfaces()).flatMap(([name, all]) =>
      name === uplink ? [] : (all ?? []).map(({ address }) => address),
    ),
  };
}
