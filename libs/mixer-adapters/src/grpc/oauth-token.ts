import { readFile } from 'node:fs/promises';
import type { AdapterConnection } from '@seine/istio';

type OAuth = NonNullable<NonNullable<NonNullable<AdapterConnection['authentication']>['tls']>['oauth']>;

/** A token is asked for anew so long before it ends. */
const marginMs = 30_000;
const defaultLifetimeMs = 300_000;
const timeoutMs = 5000;

/** Tokens by the client credentials grant (RFC 6749, section 4.4), each used until shortly before it ends. */
export class OAuthToken {
  #token: { readonly value: string; readonly until: number } | undefined;
  #asking: Promise<string> | undefined;

  constructor(
    private readonly oauth: OAuth,
    private readonly fetcher: typeof fetch,
    private readonly now: () => number,
  ) {}

  /** @throws Error (rejects) where the authorization server gives none */
  get(): Promise<string> {
    if (this.#token && this.now() < this.#token.until) return Promise.resolve(this.#token.value);
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
  }

  async #ask(): Promise<string> {
    const { tokenUrl = '', clientId = '', clientSecret = '', scopes = [], endpointParams = {} } = this.oauth;
    const body = new URLSearchParams({
      ...endpointParams,
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: (await readFile(clientSecret, 'utf8')).trim(),
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    });
    const response = await this.fetcher(tokenUrl, { method: 'POST', body, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${tokenUrl} answers ${response.status}`);
    }
    const answer = (await response.json()) as { readonly access_token?: unknown; readonly expires_in?: unknown } | null;
    if (typeof answer?.access_token !== 'string') throw new Error(`${tokenUrl} gives no access_token`);
    const seconds = Number(answer.expires_in);
    const lifetime = seconds > 0 ? seconds * 1000 : defaultLifetimeMs;
    this.#token = { value: answer.access_token, until: this.now() + Math.max(0, lifetime - marginMs) };
    return answer.access_token;
  }
}
