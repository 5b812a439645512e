/** The protocols a port can declare (Istio docs, "Protocol Selection"); `auto` = find out by sniffing. */
export type Protocol =
  'HTTP' | 'HTTP2' | 'HTTPS' | 'GRPC' | 'GRPC-Web' | 'TCP' | 'TLS' | 'UDP' | 'Mongo' | 'MySQL' | 'Redis' | 'auto';

const byName: Readonly<Record<string, Protocol>> = {
  http: 'HTTP',
  http2: 'HTTP2',
  https: 'HTTPS',
  grpc: 'GRPC',
  'grpc-web': 'GRPC-Web',
  tcp: 'TCP',
  tls: 'TLS',
  udp: 'UDP',
  mongo: 'Mongo',
  mysql: 'MySQL',
  redis: 'Redis',
  'kubernetes.io/h2c': 'HTTP2',
  'kubernetes.io/ws': 'HTTP',
  'kubernetes.io/wss': 'HTTPS',
  hbone: 'TCP',
  http1: 'HTTP',
};

/** Reads a protocol word as a ServiceEntry or Gateway port states it; unknown words give undefined. */
export function parseProtocol(word: string): Protocol | undefined {
  return byName[word.toLowerCase()];
}

/**
 * The protocol of a Kubernetes Service port: `appProtocol`, else the name's prefix up to the first dash, else sniffing
 * (UDP stays UDP; well-known server-first ports are not sniffed, as in Istio).
 */
export function servicePortProtocol(port: {
  readonly name?: string | undefined;
  readonly appProtocol?: string | undefined;
  readonly protocol?: string | undefined;
  readonly port: number;
}): Protocol {
  if (port.protocol === 'UDP') return 'UDP';
  const declared = port.appProtocol === undefined ? undefined : parseProtocol(port.appProtocol);
  if (declared) return declared;
  const name = port.name?.toLowerCase() ?? '';
  const byPrefix = name.startsWith('grpc-web') ? 'GRPC-Web' : parseProtocol(name.split('-')[0] ?? '');
  if (byPrefix) return byPrefix;
  return serverFirstPorts.has(port.port) ? 'TCP' : 'auto';
}

/** SMTP, DNS, MySQL: the server speaks first, so sniffing would only delay it. */
const serverFirstPorts = new Set([25, 53, 3306]);

export function isHttp(protocol: Protocol): boolean {
  return protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web';
}

export function isHttp2(protocol: Protocol): boolean {
  return protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web';
}

/** TLS that a sidecar passes through by SNI. */
export function isTls(protocol: Protocol): boolean {
  return protocol === 'TLS' || protocol === 'HTTPS';
}

export function isTcp(protocol: Protocol): boolean {
  return protocol === 'TCP' || protocol === 'Mongo' || protocol === 'MySQL' || protocol === 'Redis';
}
