import tls, { type PeerCertificate } from 'node:tls';

export interface TlsRequestOptions {
  readonly servername: string;
  /** Client certificate. */
  readonly client?: { readonly key: Buffer; readonly cert: Buffer } | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly path?: string;
  /** Besides `host` and `connection`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came of a TLS connection with one HTTP/1.1 request in it. */
export interface TlsReply {
  /** Undefined: the connection was cut off, or its handshake refused. */
  readonly status: number | undefined;
  /** Who answered, where an EchoServer did. */
  readonly workload: string | undefined;
  readonly body: string;
  /** What the server showed: the common name, and a hash of the whole. */
  readonly commonName: string | undefined;
  readonly fingerprint: string | undefined;
  /** `URI:spiffe://…` of a certificate of the mesh. */
  readonly subjectAltName: string | undefined;
  readonly alpn: string | undefined;
}

/** Opens a connection of its own, sends one request and closes. Never throws: refusals are answers here. */
export async function tlsRequest(host: string, port: number, options: TlsRequestOptions): Promise<TlsReply> {
  const { servername, client, alpn, maxVersion, path = '/', headers = {} } = options;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return await new Promise((resolve) => {
    let text = '';
    let certificate: PeerCertificate | undefined;
    let protocol: string | undefined;
    const socket = tls.connect({
      host,
      port,
      servername,
      // The certificate is looked at by the test itself.
      rejectUnauthorized: false,
      ...(client && { key: client.key, cert: client.cert }),
      ...(alpn && { ALPNProtocols: [...alpn] }),
      ...(maxVersion && { maxVersion }),
    });
    socket.on('secureConnect', () => {
      certificate = socket.getPeerCertificate();
      protocol = socket.alpnProtocol || undefined;
      socket.write(`GET ${path} HTTP/1.1\r\nhost: ${servername}\r\n${lines.join('')}connection: close\r\n\r\n`);
    });
    socket.on('data', (data: Buffer) => (text += data.toString()));
    // Cut off is an answer here; what came before it decides.
    socket.on('error', () => undefined);
    socket.on('close', () =>
      resolve({
        status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]) || undefined,
        workload: /"workload":"([\w-]+)"/.exec(text)?.[1],
        body: text.slice(text.indexOf('\r\n\r\n') + 4),
        commonName: certificate?.subject.CN as string | undefined,
        fingerprint: certificate?.fingerprint256,
        subjectAltName: certificate?.subjectaltname,
        alpn: protocol,
      }),
    );
  });
}
