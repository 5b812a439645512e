import { readParams } from '@seine/istio';
import type { Adapter, AdapterContext, AdapterKind, InstanceTypes, ParamsProblem } from '@seine/mixer';
import { type AdapterRim, processRim } from '../rim/rim.js';

/** A handler's surroundings, whose clock and timers a test moves. */
export class TestContext implements AdapterContext {
  readonly handler: string;
  readonly instances: ReadonlyMap<string, InstanceTypes>;
  readonly warnings: string[] = [];
  readonly timers: { readonly ms: number; readonly run: () => unknown }[] = [];
  time: number;

  constructor({
    handler = 'h.istio-system',
    instances = {},
    time = Date.UTC(2024, 0, 2, 3, 4, 5),
  }: {
    readonly handler?: string;
    readonly instances?: Readonly<Record<string, InstanceTypes>>;
    readonly time?: number;
  } = {}) {
    this.handler = handler;
    this.instances = new Map(Object.entries(instances));
    this.time = time;
  }

  readonly now = (): number => this.time;
  readonly every = (ms: number, run: () => unknown): void => void this.timers.push({ ms, run });
  readonly warn = (message: string): void => void this.warnings.push(message);

  /** Lets time pass, and what runs again and again run once. */
  async pass(ms: number): Promise<void> {
    this.time += ms;
    for (const { run } of this.timers) await run();
  }
}

/** What is wrong with a handler's parameters; none where nothing is. */
export function problemsOf(kind: AdapterKind, given: unknown): readonly ParamsProblem[] {
  const { params, diagnostics } = readParams(kind.params, given);
  const found = diagnostics.map(({ path = '', message }) => ({ path, message }));
  return params ? [...found, ...(kind.problems?.(params) ?? [])] : found;
}

/** A handler as mixer makes it of `spec.params`. */
export async function makeAdapter(kind: AdapterKind, given: unknown, context = new TestContext()): Promise<Adapter> {
  const problems = problemsOf(kind, given);
  if (problems.length > 0) throw new Error(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return kind.make(readParams(kind.params, given).params, context);
}

/** A rim whose streams keep what is written. */
export function testRim(
  over: Partial<AdapterRim> = {},
): AdapterRim & { readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (to: string[]) => ({ write: (text: string) => to.push(text), writableLength: 0 });
  return { ...processRim({ stdout: stream(out), stderr: stream(err), random: () => 0.5, ...over }), out, err };
}
