import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import type {
  AuthorityReport,
  DenialReport,
  IssuedReport,
  JoinTokenRequest,
  JoinTokenResponse,
  RotateRequest,
} from '@seine/api';
import { CommandError } from '../command-error.js';
import type { Io } from '../io.js';
import { type AddressFlags, citadelAdminUrl } from '../runtime/addresses.js';
import { stateDir } from '../runtime/run-file.js';

export interface CitadelFlags extends AddressFlags {
  readonly citadelToken?: string | undefined;
}

const timeoutMs = 20_000;

/** What operators do with citadel, over its admin port. */
export class CitadelAdmin {
  private constructor(
    private readonly base: string,
    private readonly token: string,
  ) {}

  /** @throws CommandError when it is not known where citadel is, or its token cannot be read */
  static async open(flags: CitadelFlags, io: Io): Promise<CitadelAdmin> {
    const base = await citadelAdminUrl(flags, io);
    const file =
      flags.citadelToken ??
      io.env['SEINE_CITADEL_TOKEN_FILE'] ??
      path.join(stateDir(flags.state, io), 'citadel', 'admin.token');
    try {
      return new CitadelAdmin(base, (await readFile(path.resolve(io.cwd, file), 'utf8')).trim());
    } catch (error) {
      const hint = 'give --citadel-token FILE: admin.token of the state directory of citadel';
      throw new CommandError(`cannot read citadel's token: ${(error as Error).message}; ${hint}`, 1, { cause: error });
    }
  }

  async authority(): Promise<AuthorityReport> {
    return (await this.#call('GET', '/ca')) as AuthorityReport;
  }

  async rotate(request: RotateRequest): Promise<AuthorityReport> {
    return (await this.#call('POST', '/ca/rotate', request)) as AuthorityReport;
  }

  async certificates(identity: string | undefined, all: boolean): Promise<readonly IssuedReport[]> {
    const query = new URLSearchParams({ ...(identity !== undefined && { identity }), ...(all && { all: 'true' }) });
    return (await this.#call('GET', `/ca/certificates?${query.toString()}`)) as readonly IssuedReport[];
  }

  async denied(): Promise<readonly DenialReport[]> {
    return (await this.#call('GET', '/ca/denied')) as readonly DenialReport[];
  }

  async deny(spiffeId: string, reason: string): Promise<readonly DenialReport[]> {
    return (await this.#call('POST', '/ca/denied', { spiffeId, reason })) as readonly DenialReport[];
  }

  async allow(spiffeId: string): Promise<readonly DenialReport[]> {
    return (await this.#call('DELETE', `/ca/denied?id=${encodeURIComponent(spiffeId)}`)) as readonly DenialReport[];
  }

  async joinToken(request: JoinTokenRequest): Promise<JoinTokenResponse> {
    return (await this.#call('POST', '/ca/tokens', request)) as JoinTokenResponse;
  }

  /** All trusted roots, PEM. */
  async roots(): Promise<string> {
    return (await this.#request('GET', '/root-cert.pem')).body;
  }

  async #call(method: string, at: string, body?: object): Promise<unknown> {
    return JSON.parse((await this.#request(method, at, body)).body) as unknown;
  }

  async #request(method: string, at: string, body?: object): Promise<{ readonly body: string }> {
    const text = body && JSON.stringify(body);
    try {
      const answer = await send(new URL(at, this.base), method, this.token, text);
      if (answer.status === 200) return answer;
      throw new CommandError(`citadel: ${messageIn(answer.body) ?? `status ${answer.status}`}`);
    } catch (error) {
      if (error instanceof CommandError) throw error;
      const { message, code } = error as NodeJS.ErrnoException;
      throw new CommandError(`citadel does not answer at ${this.base}: ${message || code || ''}`, 1, { cause: error });
    }
  }
}

/** What Nest says of an error. */
function messageIn(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

function send(
  url: URL,
  method: string,
  token: string,
  body: string | undefined,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const call = http.request(url, { method, headers, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
