import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { KubeAnswer, KubeApi } from '@seine/ca';

export interface KubeClientOptions {
  /** Of the API server. */
  readonly url: URL;
  /** Holds citadel's own token; read again for each call, as Kubernetes replaces it. Undefined = none is sent. */
  readonly tokenFile: string | undefined;
  /** PEM: the roots by which the API server is known; undefined = the system's. */
  readonly caFile: string | undefined;
}

const mount = '/var/run/secrets/kubernetes.io/serviceaccount';
const timeoutMs = 10_000;
const mostBytes = 64 * 1024 * 1024;

/** What a pod knows of its API server. @throws Error outside of a pod */
export function inClusterOptions(env: NodeJS.ProcessEnv): KubeClientOptions {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined) throw new Error('not in a pod of Kubernetes: KUBERNETES_SERVICE_HOST is not set');
  const url = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return { url, tokenFile: `${mount}/token`, caFile: `${mount}/ca.crt` };
}

/** Calls of the Kubernetes API over connections that are kept. */
export class KubeClient implements KubeApi {
  readonly #agent: http.Agent;
  readonly #call: typeof http.request;

  constructor(private readonly options: KubeClientOptions) {
    const isTls = options.url.protocol === 'https:';
    this.#agent = isTls ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
    this.#call = isTls ? https.request : http.request;
  }

  async request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<KubeAnswer> {
    const { url, tokenFile, caFile } = this.options;
    const text = body && JSON.stringify(body);
    const token = tokenFile === undefined ? undefined : fs.readFileSync(tokenFile, 'utf8').trim();
    const headers = {
      accept: 'application/json',
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const options = {
      method,
      headers,
      agent: this.#agent,
      signal: AbortSignal.timeout(timeoutMs),
      ...(caFile !== undefined && { ca: fs.readFileSync(caFile) }),
    };
    return await new Promise((resolve, reject) => {
      const call = this.#call(new URL(path, url), options, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      call.on('error', (error) =>
        reject(error.name === 'AbortError' ? new Error(`no answer in ${timeoutMs} ms`) : error),
      );
      call.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function readAnswer(response: http.IncomingMessage): Promise<KubeAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > mostBytes) throw new Error(`an answer of more than ${mostBytes} bytes`);
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, body: parse(text) };
}

/** Proxies before the API answer errors that are no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { message: text.slice(0, 200) };
  }
}
