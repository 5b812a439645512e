/** Reads `9080=19080,9443=19443`, the form of SEINE_APP_PORTS; undefined where an entry is no pair of ports. */
export function parseAppPorts(text: string): ReadonlyMap<number, number> | undefined {
  const ports = new Map<number, number>();
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const [service, application, ...rest] = entry.split('=').map((part) => parsePort(part));
    if (service === undefined || application === undefined || rest.length > 0) return undefined;
    ports.set(service, application);
  }
  return ports;
}

export function formatAppPorts(ports: ReadonlyMap<number, number>): string {
  return [...ports]
    .sort(([a], [b]) => a - b)
    .map(([service, application]) => `${service}=${application}`)
    .join(',');
}

/** A TCP port from 1 to 65535, or undefined. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
