import type { EdgeData } from '../edges/edge-totals.js';

/** What one mixer has seen in one window. */
export interface GraphPartial {
  readonly replica: string;
  /** Milliseconds. */
  readonly widthMs: number;
  /** Milliseconds since 1970; a multiple of the width. */
  readonly start: number;
  readonly edges: readonly EdgeData[];
}

/** Where mixers keep what they have seen of the graph, so that each can answer for all. */
export interface GraphStore {
  /**
   * Each edge in a partial takes the place of what its replica has said of that edge in that window; other edges of the
   * window stay. So writing the same again changes nothing.
   * @throws Error where it cannot be reached
   */
  write(partials: readonly GraphPartial[]): Promise<void>;

  /**
   * What all replicas have said of windows of a width that began from `from` on and before `to`.
   * @throws Error where it cannot be reached
   */
  read(widthMs: number, from: number, to: number): Promise<readonly GraphPartial[]>;

  /**
   * Windows of a width that began before are not kept, or not all of them: milliseconds since 1970.
   * @throws Error where it cannot be reached
   */
  keptFrom(widthMs: number): Promise<number>;
}
