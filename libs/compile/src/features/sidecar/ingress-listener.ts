import type { IstioIngressListener } from '@seine/istio';
import { parseProtocol, type Protocol } from '@seine/model';

/**
 * What is spoken behind an ingress listener. Where the sidecar ends TLS (`tls`), that is what TLS held: HTTP in HTTPS,
 * bytes in TLS. Sniffed where no protocol is stated.
 */
export function ingressProtocol({ port, tls }: Pick<IstioIngressListener, 'port' | 'tls'>): Protocol {
  const stated = port.protocol ? (parseProtocol(port.protocol) ?? 'TCP') : 'auto';
  if (!tls) return stated;
  return stated === 'HTTPS' ? 'HTTP' : stated === 'TLS' || stated === 'auto' ? 'TCP' : stated;
}

const wildcards: readonly (string | undefined)[] = [undefined, '', '0.0.0.0', '::'];

/**
 * `captureMode: NONE`: clients dial the listener itself, and no iptables stand between. Where it is on all addresses and
 * no `defaultEndpoint` says that the application is elsewhere, the sidecar would call itself, so it stays captured.
 */
export function isDialled({ captureMode, bind, defaultEndpoint }: IstioIngressListener): boolean {
  return captureMode === 'NONE' && (Boolean(defaultEndpoint) || !wildcards.includes(bind));
}
