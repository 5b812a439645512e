/** Windows of one width, ms, and for how long they are kept. */
export interface Level {
  readonly widthMs: number;
  readonly keepMs: number;
}

/** What happened lately is known to ten seconds. */
export const fine: Level = { widthMs: 10_000, keepMs: 3_600_000 };
/** And for a day to five minutes. */
export const coarse: Level = { widthMs: 300_000, keepMs: 86_400_000 };
export const levels: readonly Level[] = [fine, coarse];

/** When the window that a time is in began. */
export function windowStart(at: number, { widthMs }: Level): number {
  return Math.floor(at / widthMs) * widthMs;
}

/** Windows of a level that began from `from` on and before `to`. */
export interface WindowRange {
  readonly level: Level;
  readonly from: number;
  readonly to: number;
}

/**
 * Windows that together hold all of a time and nothing twice: fine ones as far back as there are whole ones, coarse ones
 * before.
 * @param fineFrom since when fine windows are kept
 */
export function windowsOf(from: number, to: number, fineFrom: number): readonly WindowRange[] {
  const seam = Math.ceil(fineFrom / coarse.widthMs) * coarse.widthMs;
  // Where the time that is asked for reaches back no further than fine windows do, it needs no coarse ones.
  if (windowStart(from, fine) >= fineFrom) return [{ level: fine, from: windowStart(from, fine), to }];
  const old = { level: coarse, from: windowStart(from, coarse), to: Math.min(to, seam) };
  return to > seam ? [old, { level: fine, from: seam, to }] : [old];
}
