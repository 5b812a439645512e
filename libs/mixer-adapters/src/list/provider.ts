import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Longer lists are refused: the whole list is kept in memory. */
export const longestList = 32 * 1024 * 1024;

/**
 * The text that a provider has now.
 * @param url `http:`, `https:` or `file:`
 * @throws Error that says why there is none
 */
export async function fetchList(url: string, fetcher: typeof fetch, timeoutMs: number): Promise<string> {
  if (url.startsWith('file:')) return readListFile(fileURLToPath(url));
  const response = await fetcher(url, {
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'text/plain, */*' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status}`);
  }
  return readBounded(response, url);
}

async function readListFile(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > longestList) throw new Error(`${file} is longer than ${longestList} bytes`);
  return readFile(file, 'utf8');
}

async function readBounded(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > longestList) throw new Error(`${url} sends more than ${longestList} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
