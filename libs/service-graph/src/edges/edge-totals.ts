import { neverArrived } from './error-class.js';
import type { Edge, EdgeIdentity, Observation } from './observation.js';
import { type ReportData, ReportTotals } from './report-totals.js';

/**
 * Who reports: the callee's proxy, the caller's, and the caller's of requests that the callee's has never seen. The last
 * are kept apart, as they are to be counted whoever else reports.
 */
export type Reporter = 'destination' | 'source' | 'unsent';

const reporters: readonly Reporter[] = ['destination', 'source', 'unsent'];

/** What {@link EdgeTotals} are in a store: plain JSON. */
export interface EdgeData {
  readonly edge: EdgeIdentity;
  readonly reports: Partial<Readonly<Record<Reporter, ReportData>>>;
}

/** What was seen of one edge in some window of time. */
export class EdgeTotals {
  readonly #reports: Partial<Record<Reporter, ReportTotals>> = {};

  constructor(readonly identity: Edge) {}

  /** Undefined where that reporter has said nothing. */
  report(reporter: Reporter): ReportTotals | undefined {
    return this.#reports[reporter];
  }

  add(observed: Observation): void {
    this.#of(neverArrived(observed) ? 'unsent' : observed.reporter).add(observed);
  }

  merge({ reports }: Pick<EdgeData, 'reports'>): void {
    for (const reporter of reporters) {
      const data = reports[reporter];
      if (data) this.#of(reporter).merge(data);
    }
  }

  toData(): EdgeData {
    const reports: Partial<Record<Reporter, ReportData>> = {};
    for (const reporter of reporters) {
      const totals = this.#reports[reporter];
      if (totals) reports[reporter] = totals.toData();
    }
    const { source, destination, service, protocol } = this.identity;
    return { edge: { source, destination, service, protocol }, reports };
  }

  #of(reporter: Reporter): ReportTotals {
    return (this.#reports[reporter] ??= new ReportTotals());
  }
}
