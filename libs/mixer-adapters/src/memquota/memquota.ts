import { forms, type Of } from '@seine/istio';
import { adapterKind, type ParamsProblem, type QuotaRequest, type QuotaVerdict } from '@seine/mixer';
import { milliseconds } from '../params/durations.js';
import { limitOf, quotaKey, quotaProblems, quotasByName } from '../quota/limits.js';
import { RollingWindow } from './rolling-window.js';

const amount = { ...forms.uint64('The most that may be taken.'), default: 0 };
const validDuration = {
  ...forms.durationOrZero('How long what was taken stays taken; 0s is for ever.'),
  default: '0s',
};

const params = forms.message('Counts in the memory of one mixer.', {
  quotas: {
    ...forms.list(
      forms.message('A limit.', {
        name: forms.text('Full name of the quota instance, as requestcount.instance.istio-system.'),
        maxAmount: amount,
        validDuration,
        overrides: forms.list(
          forms.message('Another limit, for some.', {
            dimensions: forms.textMap('What an instance must have for it.'),
            maxAmount: amount,
            validDuration,
          }),
          'The first that fits holds.',
        ),
      }),
      'What is limited.',
    ),
    default: [],
  },
  minDeduplicationDuration: {
    ...forms.duration('How long a request was known that came again; nothing comes twice here.'),
    default: '1s',
  },
});
type Params = Of<typeof params>;
type Quota = NonNullable<Params['quotas']>[number];

function problems({ quotas = [] }: Params): readonly ParamsProblem[] {
  return quotaProblems(quotas);
}

/** Of more keys, the one that was not asked for longest is forgotten. */
const maxKeys = 200_000;

interface Cell {
  /** Undefined = what is taken stays taken. */
  readonly window: RollingWindow | undefined;
  taken: number;
}

/** Counts by key, the last asked for last. */
class Cells {
  readonly #cells = new Map<string, Cell>();

  take(key: string, max: number, validMs: number, { amount, bestEffort }: QuotaRequest, now: number): QuotaVerdict {
    const cell = this.#cell(key, validMs);
    const free = max - (cell.window?.used(now) ?? cell.taken);
    const granted = amount <= free ? amount : bestEffort ? Math.max(0, free) : 0;
    if (granted === 0) return { granted, validMs: cell.window?.freeIn(now) ?? 0 };
    if (cell.window) cell.window.take(granted, now);
    else cell.taken += granted;
    return { granted };
  }

  #cell(key: string, validMs: number): Cell {
    const known = this.#cells.get(key);
    const cell = known ?? { window: validMs > 0 ? new RollingWindow(validMs) : undefined, taken: 0 };
    this.#cells.delete(key);
    this.#cells.set(key, cell);
    if (!known && this.#cells.size > maxKeys)
      for (const oldest of this.#cells.keys()) {
        this.#cells.delete(oldest);
        break;
      }
    return cell;
  }
}

/** Quotas of one mixer; a restart forgets them (Istio 1.4's `memquota`). */
export const memquota = adapterKind<Params>({
  name: 'memquota',
  templates: ['quota'],
  params,
  problems,
  make({ quotas = [] }, context) {
    const byName = quotasByName(quotas, context);
    const cells = new Cells();
    const validMs = new Map<Quota | NonNullable<Quota['overrides']>[number], number>();
    for (const limit of quotas.flatMap((quota) => [quota, ...(quota.overrides ?? [])]))
      validMs.set(limit, milliseconds(limit.validDuration ?? '0s'));
    return {
      quota(instance, request) {
        const quota = byName.get(instance.instance);
        if (!quota) throw new Error(`there is no quota named '${instance.instance}'`);
        const limit = limitOf(quota, instance, context);
        const key = quotaKey(instance, context);
        return cells.take(key, limit.maxAmount ?? 0, validMs.get(limit) ?? 0, request, context.now());
      },
    };
  },
});
