import { type Diagnostic, formatDiagnostic } from '@seine/diagnostics';
import type { SourceUpdate } from '@seine/ports';

/** Most problems told of one change; a broken generator must not flood a terminal. */
const mostTold = 20;

/**
 * Tells a person what is wrong with the config, when it becomes wrong, and that it is right again: each problem once,
 * and not at all while it stays.
 */
export class ProblemReport {
  readonly #known = new Map<string, ReadonlySet<string>>();

  /** @param say gets one line; `isProblem` is false for the good news */
  constructor(private readonly say: (line: string, isProblem: boolean) => void) {}

  take(update: Pick<SourceUpdate, 'diagnostics'>): void {
    for (const [origin, diagnostics] of update.diagnostics)
      this.#takeOrigin(origin, diagnostics.filter(isWorthTelling));
  }

  #takeOrigin(origin: string, diagnostics: readonly Diagnostic[]): void {
    const before = this.#known.get(origin) ?? new Set();
    const now = new Set(diagnostics.map(formatDiagnostic));
    if (now.size > 0) this.#known.set(origin, now);
    else this.#known.delete(origin);
    const fresh = [...now].filter((line) => !before.has(line));
    for (const line of fresh.slice(0, mostTold)) this.say(line, true);
    if (fresh.length > mostTold) this.say(`… and ${fresh.length - mostTold} more in ${placeOf(origin)}`, true);
    if (before.size > 0 && now.size === 0) this.say(`${placeOf(origin)}: nothing wrong with it any more`, false);
  }
}

function isWorthTelling({ severity }: Diagnostic): boolean {
  return severity !== 'info';
}

function placeOf(origin: string): string {
  return origin.replace(/^file:/, '');
}
