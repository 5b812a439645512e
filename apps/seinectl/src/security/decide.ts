import { every, holds, type ImaginedRequest, some, type Truth } from './matchers.js';
import type { AppliedRule, AppliedRules, AuthorizedChain } from './rbac-filters.js';

export interface Decision {
  readonly result: 'ALLOWED' | 'DENIED' | 'ASKED' | 'UNKNOWN';
  /** In a sentence: which rule decides, or what would have to be said to tell. */
  readonly why: string;
  /** What is only counted and logged, and what each of it would have done. */
  readonly notes: readonly string[];
}

export function ruleHolds({ matchers }: AppliedRule, request: ImaginedRequest): Truth {
  const { permissions = [], principals = [] } = matchers;
  return every([
    some(permissions.map((one) => holds(one, request))),
    some(principals.map((one) => holds(one, request))),
  ]);
}

export function nameOf({ policy, rule }: AppliedRule): string {
  return `rule ${rule} of AuthorizationPolicy ${policy}`;
}

function needs(truths: readonly Truth[]): string {
  const missing = truths.flatMap((truth) => (typeof truth === 'boolean' ? [] : truth.unknown));
  return [...new Set(missing)].join(', ');
}

/** What one step says; undefined: it lets the request on. */
function decideStep(step: AppliedRules, request: ImaginedRequest): Omit<Decision, 'notes'> | undefined {
  const truths = step.rules.map((rule) => ruleHolds(rule, request));
  const first = step.rules[truths.indexOf(true)];
  const open = truths.some((truth) => typeof truth !== 'boolean');
  const unsure = (): Omit<Decision, 'notes'> => ({
    result: 'UNKNOWN',
    why: `a rule with action ${step.action} looks at what is not said: ${needs(truths)}`,
  });
  if (step.action === 'AUDIT') return undefined;
  if (step.action === 'ALLOW') {
    if (first) return undefined;
    if (open) return unsure();
    const some = step.rules.length === 0 ? 'they have no rules' : 'none of their rules holds';
    return { result: 'DENIED', why: `there are policies with action ALLOW, and ${some}` };
  }
  if (first)
    return { result: step.action === 'DENY' ? 'DENIED' : 'ASKED', why: `${nameOf(first)} (${step.action}) holds` };
  return open ? unsure() : undefined;
}

/** What the policies of a filter chain decide of a request: CUSTOM, then DENY, then ALLOW, as the proxy has them. */
export function decide(chain: AuthorizedChain, request: ImaginedRequest): Decision {
  const asked = { ...request, port: request.port ?? chain.port };
  const notes = chain.steps
    .filter(({ dryRun }) => dryRun)
    .flatMap((step) => {
      const would = decideStep(step, asked);
      return would ? [`dry run: ${would.result}: ${would.why}`] : [];
    });
  let provider = '';
  for (const step of chain.steps.filter(({ dryRun }) => !dryRun)) {
    const found = decideStep(step, asked);
    // A provider that agrees leaves the request to the policies after it.
    if (found?.result === 'ASKED') provider = found.why;
    else if (found) return { ...found, notes };
  }
  if (provider !== '') return { result: 'ASKED', why: `${provider}: its provider decides`, notes };
  const allowing = chain.steps
    .filter(({ action, dryRun }) => action === 'ALLOW' && !dryRun)
    .flatMap(({ rules }) => rules);
  const [rule] = allowing.filter((one) => ruleHolds(one, asked) === true);
  return {
    result: 'ALLOWED',
    why: rule ? `${nameOf(rule)} (ALLOW) holds` : 'no policy with action ALLOW is in force',
    notes,
  };
}
