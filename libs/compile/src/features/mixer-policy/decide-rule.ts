import type { MixerPolicy, PolicyAction, PolicyInstance, PolicyRule, QuotaBinding } from '@seine/mixer';
import { answerOf } from './checks.js';
import { and, type Formula, isImpossible, never, not, or } from './formula.js';
import type { ProxyView } from './proxy-view.js';
import type { Refusal } from './refusal.js';
import { translateCondition } from './translate.js';
import { constantTruth, type Truth } from './truth.js';

/** Where it is decided: in the proxy, in mixer, in the proxy as far as it can tell, or nowhere as it is never about the workload. */
export type DecidedWhere = 'proxy' | 'mixer' | 'both' | 'never';

/** What a rule has asked of requests: one instance of one action, or its changes of headers. */
export interface Decision {
  /** `checkip.rule.default` */
  readonly rule: string;
  /** `whitelistip.handler.default`; undefined: changes of headers. */
  readonly handler: string | undefined;
  readonly instance: string | undefined;
  readonly where: DecidedWhere;
  /** What the proxy refuses by itself. */
  readonly refusals: readonly { readonly when: Formula; readonly refusal: Refusal }[];
  /** The requests of which mixer is asked; may be more than it has to be. */
  readonly ask: Formula;
  /** Why mixer is asked. */
  readonly why: readonly string[];
}

/** A policy, and what of its objects has to be read as it was written. */
export interface PolicySource {
  readonly policy: MixerPolicy;
  /** The expression of a listentry's value. */
  readonly valueOf: (instance: PolicyInstance) => string | undefined;
}

const checkTemplates: ReadonlySet<string> = new Set(['checknothing', 'listentry', 'authorization', 'apikey']);

/** What becomes of a rule's checks at a workload, for the requests that its proxy sees at one port. @param service that is served there */
export function decideRule(
  rule: PolicyRule,
  source: PolicySource,
  view: ProxyView,
  service: string | undefined,
): readonly Decision[] {
  const match = rule.match ? translateCondition(rule.match.text, view) : constantTruth(true);
  const checks = rule.actions.flatMap((action) =>
    action.instances.flatMap((instance) => {
      if (checkTemplates.has(instance.template)) return [decideCheck(rule, action, instance, match, source, view)];
      if (instance.template !== 'quota' || !isCharged(instance, source.policy.quotaBindings, service)) return [];
      const why = `${action.handler.adapter} counts over all proxies`;
      return [inMixer(rule, action.handler.name, instance.name, match, why)];
    }),
  );
  const changesHeaders = rule.requestHeaders.length + rule.responseHeaders.length > 0;
  if (!changesHeaders) return checks;
  return [...checks, inMixer(rule, undefined, undefined, match, 'mixer says what becomes of the headers')];
}

function inMixer(
  rule: PolicyRule,
  handler: string | undefined,
  instance: string | undefined,
  { holds: { most } }: Truth,
  why: string,
): Decision {
  const ask = isImpossible(most) ? never : most;
  const where = ask === never ? 'never' : 'mixer';
  return { rule: rule.name, handler, instance, where, refusals: [], ask, why: where === 'never' ? [] : [why] };
}

function decideCheck(
  rule: PolicyRule,
  { handler }: PolicyAction,
  instance: PolicyInstance,
  match: Truth,
  source: PolicySource,
  view: ProxyView,
): Decision {
  const answer = answerOf(
    {
      handler: handler.name.replace('.handler.', '.'),
      adapter: handler.adapter,
      params: (handler.params ?? {}) as Readonly<Record<string, unknown>>,
      template: instance.template,
      value: source.valueOf(instance),
    },
    view,
  );
  const { least, most } = match.holds;
  const refusals = answer.refusals
    .map(({ when, refusal }) => ({ when: and(least, when), refusal }))
    .filter(({ when }) => !isImpossible(when));
  const perhaps = and(most, not(answer.passes));
  const open = and(perhaps, not(or(...refusals.map(({ when }) => when))));
  const ask = isImpossible(open) ? never : perhaps;
  const where = ask === never ? (refusals.length === 0 ? 'never' : 'proxy') : refusals.length === 0 ? 'mixer' : 'both';
  const why = ask === never ? [] : [...new Set([...match.unknown, ...answer.unknown])];
  return { rule: rule.name, handler: handler.name, instance: instance.name, where, refusals, ask, why };
}

/** Whether some QuotaSpec charges an instance for requests to a service; undefined = to none. */
function isCharged({ name }: PolicyInstance, bindings: readonly QuotaBinding[], service: string | undefined): boolean {
  const [short] = name.split('.', 1);
  return bindings.some(
    ({ hosts, rules }) =>
      (hosts.has('*') || (service !== undefined && hosts.has(service))) &&
      rules.some(({ quotas }) => quotas.some(({ quota }) => quota.split('.', 1)[0] === short)),
  );
}
