import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { LoggerService } from '@nestjs/common';
import type { AgentService } from './agent.service.js';
import { metricsAddresses, type WorkloadArguments } from './config.js';
import type { RecordStore } from './record-store.js';
import { longestSocketPath, removeStaleSocket } from './socket-path.js';

export interface WorkloadsApiOptions {
  /** Absolute. */
  readonly socket: string;
  readonly agent: AgentService;
  readonly records: RecordStore;
  /** Names that are the command line's. */
  readonly fixed: ReadonlySet<string>;
  readonly logger: LoggerService;
}

const socketMode = 0o600;
const folderMode = 0o700;
const mostBodyBytes = 64 * 1024;
const nameForm = /^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/i;

/** What the caller is told. */
class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

interface Put {
  readonly workload: WorkloadArguments;
  /** Proves the identity once; not kept. */
  readonly token: string | undefined;
}

/**
 * Takes and drops workloads while the agent runs: HTTP on a Unix socket that only the agent's user can open.
 * `GET /workloads`, `PUT /workloads/NAME`, `DELETE /workloads/NAME`.
 */
export class WorkloadsApi {
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  constructor(private readonly options: WorkloadsApiOptions) {}

  /** Puts again what was put before, then listens. @throws Error when the socket cannot be had */
  async start(): Promise<void> {
    const { socket, records, fixed, agent, logger } = this.options;
    for (const record of records.list('workloads')) {
      try {
        const { name } = record as { readonly name: string };
        if (!fixed.has(name)) await agent.put(readPut(name, record).workload);
      } catch (error) {
        logger.warn(`a workload of before cannot be served again: ${messageOf(error)}`, 'workloads');
      }
    }
    fs.mkdirSync(path.dirname(socket), { recursive: true, mode: folderMode });
    await removeStaleSocket(socket, socket);
    await new Promise<void>((resolve, reject) => {
      // Nobody gets in between the socket's making and its mode.
      const umask = process.umask(0o177);
      this.#server.once('error', reject).listen(socket, () => resolve());
      process.umask(umask);
    });
    fs.chmodSync(socket, socketMode);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const answer = (code: number, body: object): void =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    try {
      const body = await readBody(request);
      answer(200, await this.#answer(request.method ?? '', request.url ?? '', body));
    } catch (error) {
      if (error instanceof ApiError) answer(error.code, { error: error.message });
      else answer(error instanceof RangeError ? 400 : 500, { error: messageOf(error) });
    }
  }

  async #answer(method: string, url: string, body: string): Promise<object> {
    const { agent } = this.options;
    const [, collection, name, ...more] = url.split('/');
    if (collection !== 'workloads' || more.length > 0)
      throw new ApiError(404, 'there is /workloads and /workloads/NAME');
    if (name === undefined) {
      if (method !== 'GET') throw new ApiError(405, '/workloads can be read only');
      return { workloads: agent.workloads().map(shown) };
    }
    if (!nameForm.test(name)) throw new ApiError(400, 'a name has letters, digits, dots, dashes and underscores');
    if (method !== 'PUT' && method !== 'DELETE') throw new ApiError(405, `${method} is neither PUT nor DELETE`);
    if (this.options.fixed.has(name)) throw new ApiError(409, `${name} is given on the agent’s command line`);
    return method === 'PUT' ? await this.#put(readPut(name, parse(body))) : await this.#delete(name);
  }

  async #put({ workload, token }: Put): Promise<object> {
    const { agent, records } = this.options;
    await agent.put(workload);
    if (token !== undefined) agent.takeToken(workload.name, token);
    records.put('workloads', workload.name, workload);
    const state = agent.workloads().find(({ name }) => name === workload.name);
    return state ? shown(state) : {};
  }

  async #delete(name: string): Promise<object> {
    const { agent, records } = this.options;
    if (!(await agent.remove(name))) throw new ApiError(404, `there is no workload ${name}`);
    records.delete('workloads', name);
    return {};
  }
}

function shown({ notAfter, ...state }: ReturnType<AgentService['workloads']>[number]): object {
  return { ...state, ...(notAfter !== undefined && { certificateUntil: new Date(notAfter).toISOString() }) };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(400, 'the body is no JSON');
  }
}

/** @throws ApiError */
function readPut(name: string, value: unknown): Put {
  if (typeof value !== 'object' || value === null) throw new ApiError(400, 'a workload is an object');
  const fields = value as Readonly<Record<string, unknown>>;
  const text = (key: string): string | undefined => {
    const field = fields[key];
    if (field !== undefined && (typeof field !== 'string' || field === ''))
      throw new ApiError(400, `${key}: not a text`);
    return field;
  };
  const required = (key: string): string => {
    const field = text(key);
    if (field === undefined) throw new ApiError(400, `${key}: required`);
    return field;
  };
  const absolute = (key: string, file: string): string => {
    if (!path.isAbsolute(file)) throw new ApiError(400, `${key}: '${file}' is not an absolute path`);
    return path.resolve(file);
  };
  const { files = [] } = fields;
  if (!Array.isArray(files) || !files.every((file) => typeof file === 'string'))
    throw new ApiError(400, 'files: not a list of folders');
  const [socket, tokenFile] = [absolute('socket', required('socket')), text('tokenFile')];
  if (Buffer.byteLength(socket) > longestSocketPath)
    throw new ApiError(400, `socket: longer than ${longestSocketPath} bytes`);
  return {
    workload: {
      name,
      namespace: required('namespace'),
      serviceAccount: required('serviceAccount'),
      tokenFile: tokenFile === undefined ? undefined : absolute('tokenFile', tokenFile),
      socket,
      files: files.map((file) => absolute('files', file)),
      ...metricsAddresses(text('envoy'), text('scrape'), (what) => {
        throw new ApiError(400, what);
      }),
    },
    token: text('token'),
  };
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const tooLarge = new ApiError(413, `a body has at most ${mostBodyBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > mostBodyBytes) throw tooLarge;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostBodyBytes) throw tooLarge;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
