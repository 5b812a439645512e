import type { Row } from '../output/table.js';
import { compareText } from '../proxy-config/compare-text.js';
import type { Decision } from './decide.js';
import type { Action, AuthorizedChain } from './rbac-filters.js';

export const authzHeader = ['ACTION', 'AUTHORIZATIONPOLICY', 'RULES', 'MODE', 'FOR'];

/** A policy in force on a workload. */
export interface PolicyInForce {
  readonly action: Action;
  /** `name.namespace`; `no rule` = none with the action has rules there: with ALLOW, nothing is allowed. */
  readonly policy: string;
  readonly rules: number;
  readonly dryRun: boolean;
  readonly protocols: readonly ('HTTP' | 'TCP')[];
}

const order: readonly Action[] = ['CUSTOM', 'DENY', 'ALLOW', 'AUDIT'];

/** The policies in force, in the order in which they decide. */
export function policiesInForce(chains: readonly AuthorizedChain[]): readonly PolicyInForce[] {
  interface Entry extends Omit<PolicyInForce, 'rules' | 'protocols'> {
    readonly indexes: Set<number>;
    readonly protocols: Set<'HTTP' | 'TCP'>;
  }
  const found = new Map<string, Entry>();
  for (const { steps, protocol } of chains)
    for (const { action, dryRun, rules } of steps) {
      const named = rules.length > 0 ? rules : [{ policy: 'no rule', rule: -1 }];
      for (const { policy, rule } of named) {
        const key = `${action} ${dryRun} ${policy}`;
        const entry = found.get(key) ?? { action, policy, dryRun, indexes: new Set(), protocols: new Set() };
        found.set(key, entry);
        if (rule >= 0) entry.indexes.add(rule);
        entry.protocols.add(protocol);
      }
    }
  return [...found.values()]
    .map(({ action, policy, dryRun, indexes, protocols }) => ({
      ...{ action, policy, rules: indexes.size, dryRun },
      protocols: [...protocols].sort(),
    }))
    .sort(
      (a, b) =>
        order.indexOf(a.action) - order.indexOf(b.action) ||
        Number(a.dryRun) - Number(b.dryRun) ||
        compareText(a.policy, b.policy),
    );
}

export function authzRows(policies: readonly PolicyInForce[]): Row[] {
  return policies.map(({ action, policy, rules, dryRun, protocols }) => ({
    cells: [
      action,
      policy,
      String(rules),
      dryRun ? { text: 'DRY RUN', colour: 'yellow' } : 'ENFORCED',
      protocols.join(', '),
    ],
  }));
}

export const decisionHeader = ['PORT', 'MATCH', 'RESULT', 'WHY'];

export interface ChainDecision extends Decision {
  readonly chain: AuthorizedChain;
}

const colours = { ALLOWED: 'green', DENIED: 'red', ASKED: 'yellow', UNKNOWN: 'yellow' } as const;

export function decisionRows(decisions: readonly ChainDecision[]): Row[] {
  return decisions.map(({ chain, result, why, notes }) => ({
    cells: [String(chain.port ?? '*'), chain.match, { text: result, colour: colours[result] }, why],
    ...(notes.length > 0 && { notes }),
  }));
}
