export interface OpaClientOptions {
  readonly fetch: typeof fetch;
  /** `http://opa:8181` */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

const longestComplaint = 2000;

/** The part of OPA's REST API (v1) that mixer needs. */
export class OpaClient {
  constructor(private readonly options: OpaClientOptions) {}

  /**
   * What a rule says of an input; undefined where it is not defined.
   * @param rule `['mixerauthz', 'allow']`
   * @throws Error (rejects) where OPA does not answer, or with an error
   */
  async decide(rule: readonly string[], input: unknown): Promise<unknown> {
    const response = await this.#request(`v1/data/${rule.map(encodeURIComponent).join('/')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input }),
    });
    return ((await response.json()) as { readonly result?: unknown } | null)?.result;
  }

  /** @throws Error (rejects) with what OPA finds wrong with the module */
  async putPolicy(id: string, rego: string): Promise<void> {
    const response = await this.#request(`v1/policies/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: rego,
    });
    await response.body?.cancel();
  }

  async deletePolicy(id: string): Promise<void> {
    const response = await this.#request(`v1/policies/${id}`, { method: 'DELETE' });
    await response.body?.cancel();
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const { fetch, url, headers, timeoutMs } = this.options;
    const response = await fetch(`${url.replace(/\/$/, '')}/${path}`, {
      ...init,
      headers: { ...headers, ...(init.headers as Readonly<Record<string, string>> | undefined) },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return response;
    throw new Error(`OPA answers ${response.status} ${complaint(await response.text())}`.trimEnd());
  }
}

/** What OPA says: a sentence, and for modules the places. */
function complaint(text: string): string {
  try {
    const { message = '', errors = [] } = JSON.parse(text) as {
      readonly message?: string;
      readonly errors?: readonly { readonly message?: string; readonly location?: { readonly row?: number } }[];
    };
    const places = errors.map(({ message: what = '', location }) => `line ${location?.row ?? '?'}: ${what}`);
    return [message, ...places].join('; ').slice(0, longestComplaint);
  } catch {
    // Not OPA, but something in its place.
    return text.slice(0, 200);
  }
}
