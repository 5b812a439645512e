import type { IstioEgressListener } from '@seine/istio';
import { parseProtocol, type Protocol } from '@seine/model';

const unixScheme = 'unix://';
const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Where and how the listener of one `egress` entry with a port stands. */
export interface EgressBind {
  /** 0 for a Unix domain socket. */
  readonly port: number;
  /** An IP address or `unix:///path`; undefined = none, or all addresses. */
  readonly bind: string | undefined;
  /** What clients speak on it; undefined = as each service says. */
  readonly protocol: Protocol | undefined;
  /** `protocol: HTTP_PROXY`: absolute URLs and CONNECT, for all ports of the hosts. */
  readonly httpProxy: boolean;
  /** It has no address of its own: iptables bring the connections, to whatever address of the services they go. */
  readonly captured: boolean;
  /** It stands at all addresses where there are iptables, so nothing else can stand there on the port. */
  readonly everywhere: boolean;
  /** `captureMode: NONE`, and Unix sockets: clients dial the address itself. */
  readonly bindToPort: boolean;
  /** Whether only services with this very port are listed; not so on Unix sockets and HTTP proxies. */
  readonly ofOnePort: boolean;
}

/** Reads the listener of an `egress` entry with a port. */
export function egressBindOf({ port, bind, captureMode }: IstioEgressListener): EgressBind {
  const number = port?.number ?? 0;
  const httpProxy = port?.protocol?.toUpperCase() === 'HTTP_PROXY';
  const isWildcard = !bind || wildcards.has(bind);
  const bindToPort = captureMode === 'NONE' || isUnixSocket(bind ?? '');
  return {
    port: number,
    bind: isWildcard ? undefined : bind,
    protocol: port?.protocol && !httpProxy ? parseProtocol(port.protocol) : undefined,
    httpProxy,
    captured: isWildcard && !bindToPort && !httpProxy,
    everywhere: isWildcard && !bindToPort,
    bindToPort,
    ofOnePort: number !== 0 && !httpProxy,
  };
}

export function isUnixSocket(address: string): boolean {
  return address.startsWith(unixScheme);
}
