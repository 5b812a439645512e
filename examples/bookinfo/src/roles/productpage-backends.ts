import type { AppOptions } from '../options.js';
import type { CallService } from '../web/call.js';

/** What a service behind the page said, or what the page says in its stead. */
export interface BackendReply {
  readonly status: number;
  readonly body: unknown;
}

type Ask = (id: string, headers: Readonly<Record<string, string>>) => Promise<BackendReply>;

export interface Backends {
  readonly details: Ask;
  readonly reviews: Ask;
  readonly ratings: Ask;
}

/** How long the page waits for a service, ms, and how often it asks. Fault-injection tutorials rely on both. */
const timeoutMs = 3000;
const attempts = { details: 1, reviews: 2, ratings: 1 } as const;

const sorry = (what: string): string => `Sorry, product ${what} are currently unavailable for this book.`;

export function createBackends(options: AppOptions, call: CallService): Backends {
  const ask =
    (name: keyof Backends): Ask =>
    async (id, headers) => {
      const url = `http://${name}:${options.servicePort}/${name}/${id}`;
      let status = 500;
      for (let attempt = 0; attempt < attempts[name]; attempt++) {
        const answer = await call({ url, headers, timeoutMs, proxy: options.proxy }).catch((): undefined => undefined);
        const body = answer?.status === 200 ? parseJson(answer.body) : undefined;
        if (body !== undefined) return { status: 200, body };
        status = answer && answer.status !== 200 ? answer.status : 500;
      }
      return { status, body: { error: sorry(name) } };
    };
  return { details: ask('details'), reviews: ask('reviews'), ratings: ask('ratings') };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Somebody else answered in the service's place: as good as no answer.
    return undefined;
  }
}
