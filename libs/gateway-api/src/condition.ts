/** Conditions of a status (Kubernetes API conventions, "Typical status properties"). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** Why something is not as it was asked for: the reason is one of the specification's, the message is for people. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** What a condition is to say; a problem turns its status round and speaks in its place. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
  /** When there is no problem; default True. */
  readonly status?: 'True' | 'False';
  readonly problem?: Problem | undefined;
}

export type Verdicts = Readonly<Record<string, Verdict>>;

/** Whose conditions are written, and when. */
export interface ConditionContext {
  readonly generation: number | undefined;
  /** RFC 3339. */
  readonly now: string;
}

function invert(status: 'True' | 'False'): 'True' | 'False' {
  return status === 'True' ? 'False' : 'True';
}

function conditionOf(type: string, verdict: Verdict, { generation, now }: ConditionContext): Condition {
  const status = verdict.status ?? 'True';
  const { reason, message } = verdict.problem ?? verdict;
  return {
    type,
    status: verdict.problem ? invert(status) : status,
    ...(generation !== undefined && { observedGeneration: generation }),
    lastTransitionTime: now,
    reason,
    message,
  };
}

/**
 * Conditions with verdicts taken in: those that are there keep their place, and their time while their status stays; new
 * ones follow in order of their types.
 */
export function setConditions(
  existing: readonly Condition[] | undefined,
  verdicts: Verdicts,
  context: ConditionContext,
): readonly Condition[] {
  const conditions = [...(existing ?? [])];
  for (const type of Object.keys(verdicts).sort()) {
    const verdict = verdicts[type];
    if (!verdict) continue;
    const next = conditionOf(type, verdict, context);
    const at = conditions.findIndex((condition) => condition.type === type);
    const before = conditions[at];
    if (!before) conditions.push(next);
    else if (before.status === next.status) conditions[at] = { ...next, lastTransitionTime: before.lastTransitionTime };
    else conditions[at] = next;
  }
  return conditions;
}

/** `a`, `a and b`, `a, b, and c`. */
export function joinWords(words: readonly string[]): string {
  if (words.length <= 2) return words.join(' and ');
  return `${words.slice(0, -1).join(', ')}, and ${words.at(-1) ?? ''}`;
}

/** Two problems told as one; the first gives the reason. */
export function joinProblems(a: Problem | undefined, b: Problem | undefined): Problem | undefined {
  if (!a || !b) return a ?? b;
  return { reason: a.reason, message: `${a.message}; ${b.message}` };
}
