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

/** `captureMode: NONE`: clients dial the listener itself, and no iptables stand between. */
export function isDialled({ captureMode }: IstioIngressListener): boolean {
  return captureMode === 'NONE';
}
