import type { Adapter, AdapterContext, AdapterKind, CheckVerdict } from '@seine/mixer';

interface Params {
  readonly open: number;
  readonly close: number;
}

const hourMs = 3_600_000;

/** Lets requests through from one hour of the day to another, in UTC. */
class BusinessHours implements Adapter {
  constructor(
    private readonly params: Params,
    private readonly context: AdapterContext,
  ) {}

  /** Named as the template. */
  readonly checknothing = (): CheckVerdict => {
    const now = this.context.now();
    const hour = new Date(now).getUTCHours();
    // The same answer holds until the next hour begins.
    const validMs = hourMs - (now % hourMs);
    if (hour >= this.params.open && hour < this.params.close) return { code: 0, validMs };
    return { code: 7, message: `closed until ${this.params.open}:00 UTC`, validMs };
  };
}

const hour = (fallback: number) => ({ type: 'integer', minimum: 0, maximum: 24, default: fallback });

const kind: AdapterKind<Params> = {
  name: 'business-hours',
  templates: ['checknothing'],
  params: { type: 'object', additionalProperties: false, properties: { open: hour(9), close: hour(17) } },
  problems: ({ open, close }) => (open < close ? [] : [{ path: 'close', message: 'Must be later than open.' }]),
  make: (params, context) => new BusinessHours(params, context),
};
export default kind;
