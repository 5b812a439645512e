import net from 'node:net';

export interface RawReply {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  /** Names in lower case; the last one of several counts. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawOptions {
  /** Of this machine, from which it connects; default as the system chooses. */
  readonly from?: string;
  /** Milliseconds after which it fails; a bound for a hang. */
  readonly timeoutMs?: number;
}

/**
 * Sends bytes over a connection of its own and reads the answer. Where clients of HTTP would mend what they send, or
 * refuse it, this one does not.
 * @param bytes a whole request of HTTP/1.1, with `Connection: close`
 * @throws Error when the other side is not there, or says nothing in time
 */
export async function rawRequest(
  host: string,
  port: number,
  bytes: string | Buffer,
  { from, timeoutMs = 10_000 }: RawOptions = {},
): Promise<RawReply> {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = net.connect({ host, port, ...(from !== undefined && { localAddress: from }) });
    const chunks: Buffer[] = [];
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer from ${host}:${port} in ${timeoutMs} ms`)));
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      // Envoy gives the client a second to close first.
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  return parseReply(text);
}

/** @param target as it goes into the request line, byte for byte (latin1) */
export function rawGet(target: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries({ host: 'a', ...headers, connection: 'close' }).map(([name, v]) => `${name}: ${v}\r\n`);
  return Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

function parseReply(text: string): RawReply {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = end < 0 ? '' : text.slice(end + 4);
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0),
    headers,
    body: headers['transfer-encoding'] === 'chunked' ? dechunk(body) : body,
  };
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  if (length !== undefined) return text.length >= end + 4 + Number(length);
  return /\r\ntransfer-encoding: chunked/i.test(text.slice(0, end)) && text.endsWith('\r\n0\r\n\r\n');
}

function dechunk(text: string): string {
  let rest = text;
  let whole = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = line < 0 ? 0 : Number.parseInt(rest.slice(0, line), 16);
    if (!size) return whole;
    whole += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
  }
}
