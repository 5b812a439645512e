import { forms, type Of } from '@seine/istio';
import {
  type AdapterContext,
  adapterKind,
  type AdapterKind,
  type CheckVerdict,
  type ParamsProblem,
} from '@seine/mixer';
import { urlProblems } from '../params/address.js';
import { milliseconds } from '../params/durations.js';
import { reasonOf } from '../rim/reason.js';
import type { AdapterRim } from '../rim/rim.js';
import { type Entries, entryTypes, readEntries, splitEntries } from './entries.js';
import { fetchList } from './provider.js';

const params = forms.message('Looks a value up in a list.', {
  providerUrl: { ...forms.text('Where the list is: http://, https:// or file://, one entry a line.'), default: '' },
  refreshInterval: { ...forms.duration('How often the provider is asked.'), default: '60s' },
  ttl: { ...forms.duration('How long a list is used that can no longer be fetched.'), default: '300s' },
  cachingInterval: { ...forms.durationOrZero('How long an answer may be kept.'), default: '300s' },
  cachingUseCount: { ...forms.integer('For how many requests it may be kept.', { minimum: 0 }), default: 10_000 },
  overrides: { ...forms.texts('Entries that need no provider.'), default: [] },
  entryType: { ...forms.choice(entryTypes, 'What entries are.', { numbered: true }), default: 'STRINGS' },
  blacklist: { ...forms.flag('Refuses what is in the list, rather than what is not.'), default: false },
});
type Params = Required<Of<typeof params>>;

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { providerUrl, refreshInterval, ttl, overrides, entryType } = given as Params;
  const found: ParamsProblem[] = [];
  if (providerUrl !== '') {
    found.push(...urlProblems('providerUrl', providerUrl, ['http', 'https', 'file']));
    if (milliseconds(refreshInterval) < 1000)
      found.push({ path: 'refreshInterval', message: `Got ${refreshInterval}, expected at least 1s.` });
    if (milliseconds(ttl) < milliseconds(refreshInterval))
      found.push({ path: 'ttl', message: `Got ${ttl}, expected at least the refreshInterval, ${refreshInterval}.` });
  }
  overrides.forEach((entry, i) => {
    try {
      readEntries(entryType, [entry]);
    } catch (error) {
      found.push({ path: `overrides[${i}]`, message: `${(error as Error).message}.` });
    }
  });
  return found;
}

const fetchTimeoutMs = 5000;
/** From the first failure on; doubled with each that follows, up to the refresh interval. */
const firstRetryMs = 1000;

/** The list of a provider: fetched again and again, kept for `ttl` when it cannot be. */
class ProvidedList {
  entries: Entries | undefined;
  nextFetch = 0;
  #text: string | undefined;
  #goodUntil = 0;
  #failures = 0;
  #fetching: Promise<void> | undefined;

  constructor(
    private readonly params: Params,
    private readonly context: AdapterContext,
    private readonly rim: AdapterRim,
  ) {}

  /** Fetches if it is time to, and lets go of a list that has become too old. Never rejects. */
  refresh(): Promise<void> {
    const now = this.context.now();
    if (this.entries && now >= this.#goodUntil) {
      this.entries = undefined;
      this.#text = undefined;
      this.context.warn(`the list of ${this.params.providerUrl} is older than ttl, ${this.params.ttl}, and is let go`);
    }
    if (now < this.nextFetch) return Promise.resolve();
    return (this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined)));
  }

  async #fetch(): Promise<void> {
    const { providerUrl, refreshInterval, ttl, entryType } = this.params;
    try {
      const text = await fetchList(providerUrl, this.rim.fetch, fetchTimeoutMs);
      if (text !== this.#text) this.entries = readEntries(entryType, splitEntries(text));
      this.#text = text;
      this.#failures = 0;
      const now = this.context.now();
      this.#goodUntil = now + milliseconds(ttl);
      this.nextFetch = now + milliseconds(refreshInterval);
    } catch (error) {
      const wait = Math.min(milliseconds(refreshInterval), firstRetryMs * 2 ** this.#failures++);
      this.nextFetch = this.context.now() + wait;
      const state = this.entries ? 'the last good list stays in force' : 'there is no list yet';
      this.context.warn(`cannot fetch the list of ${providerUrl}: ${reasonOf(error)}; ${state}`);
    }
  }
}

/** White and black lists (Istio 1.4's `listchecker`). */
export const list = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: 'listchecker',
    aliases: ['list'],
    templates: ['listentry'],
    params,
    problems,
    async make(given, context) {
      const { providerUrl, overrides, entryType, blacklist } = given;
      const cachingMs = milliseconds(given.cachingInterval);
      const validUses = given.cachingUseCount;
      const own = readEntries(entryType, overrides);
      const provided = providerUrl === '' ? undefined : new ProvidedList(given, context, rim);
      await provided?.refresh();
      if (provided) context.every(firstRetryMs, () => provided.refresh());

      const answer = (code: number, message?: string): CheckVerdict => ({
        code,
        ...(message !== undefined && { message }),
        // An answer must not outlive the list that it is from.
        validMs: provided ? Math.min(cachingMs, Math.max(0, provided.nextFetch - context.now())) : cachingMs,
        validUses,
      });

      return {
        listentry({ value }) {
          let found = own(value);
          if (found === undefined) return answer(3, `'${value}' is no IP address`);
          if (!found && provided) {
            if (!provided.entries) throw new Error(`there is no list of ${providerUrl}`);
            found = provided.entries(value) === true;
          }
          if (found === blacklist) return answer(7, `${value} is ${blacklist ? 'blacklisted' : 'not whitelisted'}`);
          return answer(0);
        },
      };
    },
  });
