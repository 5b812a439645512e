const fiveSeconds = 5000;
/** An application that could give OpenMetrics or protobuf is asked for the text that is read here. */
const headers = { accept: 'text/plain;version=0.0.4' };

/**
 * The body of an answer with status 200.
 * @throws (rejects) where there is none in time (five seconds), or it is longer than `maxBytes`
 */
export async function fetchText(url: string, maxBytes: number, timeoutMs = fiveSeconds): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error', headers });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`${url} has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
