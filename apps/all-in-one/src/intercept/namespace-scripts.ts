import { network } from './plan-intercept.js';

/** The shell scripts that make the network; each runs where its name says, and ends at the first failure. */

/** This machine's end of the cable to the switch. */
export const uplink = 'seine0';
const bridge = 'br0';

export function onThisMachine(switchPid: number): string {
  return [
    // The kernel takes its time over the namespaces of a mesh that has just ended.
    `ip link delete ${uplink} 2>/dev/null || true`,
    `ip link add ${uplink} type veth peer name uplink netns ${switchPid}`,
    `ip address add ${network.machine}/${network.length} dev ${uplink}`,
    `ip link set ${uplink} up`,
  ].join('\n');
}

/** The bridge has a namespace of its own, where no rule of this machine (Docker's, say) drops what crosses it. */
export function inSwitch(): string {
  return [
    `ip link add ${bridge} type bridge`,
    `ip link set ${bridge} up`,
    `ip link set uplink master ${bridge}`,
    'ip link set uplink up',
  ].join('\n');
}

/** The cable from the switch to a pod. */
export function cable(index: number, podPid: number): string {
  return [
    `ip link add pod${index} type veth peer name eth0 netns ${podPid}`,
    `ip link set pod${index} master ${bridge}`,
    `ip link set pod${index} up`,
  ].join('\n');
}

export interface PodScript {
  readonly address: string;
  /** Whether its traffic goes through its Envoy without its knowing: sidecars, not gateways. */
  readonly intercept: boolean;
  /** Files that stand in for the machine's own, in this pod alone: [what it sees there, the file]. */
  readonly files: readonly (readonly [string, string])[];
  readonly rulesFile: string;
}

export function inPod({ address, intercept, files, rulesFile }: PodScript): string {
  return [
    'ip link set lo up',
    `ip address add ${address}/${network.length} dev eth0`,
    'ip link set eth0 up',
    // Nothing is there; but without a route no address would be worth a connection, and none could be redirected.
    `ip route add default via ${network.machine}`,
    ...files.map(([seen, file]) => `mount --bind ${quote(file)} ${quote(seen)}`),
    ...(intercept ? [`iptables-restore ${quote(rulesFile)}`] : []),
  ].join('\n');
}

/** Names come from the sample and from people's YAML; paths from their machine. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
