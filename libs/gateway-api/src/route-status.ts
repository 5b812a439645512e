import type { gatewayApi } from '@seine/istio';
import { compareText, type ConfigObject } from '@seine/k8s';
import { type Condition, type Problem, setConditions, type Verdict } from './condition.js';
import type { Context } from './context.js';
import { gatewayController } from './gateway-classes.js';
import type { ConvertedRules } from './http-rules.js';
import { type Attachment, denialReasons, parentRefKey } from './parents.js';

interface ParentStatus {
  readonly parentRef: gatewayApi.ParentReference;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

type Outcome = Pick<ConvertedRules<unknown>, 'problem' | 'dropped'> & { readonly rules: number };

/** What came of a route's rules, for gateways and inside the mesh; undefined where it is not attached there. */
export interface RouteOutcome {
  readonly gateway?: Outcome | undefined;
  readonly mesh?: Outcome | undefined;
}

/** The gravest denial speaks; several as grave are told together. Undefined: attached. */
function denialOf(attachments: readonly Attachment[]): Problem | undefined {
  const denials = attachments.flatMap(({ denial }) => denial ?? []);
  if (denials.length < attachments.length) return undefined;
  const reason = denialReasons.find((each) => denials.some((denial) => denial.reason === each));
  if (!reason) return undefined;
  const messages = denials.filter((denial) => denial.reason === reason).map(({ message }) => message);
  return { reason, message: messages.join('; ') };
}

function verdictsOf(attachments: readonly Attachment[], outcome: Outcome | undefined): Record<string, Verdict> {
  const bound = attachments.filter(({ denial }) => !denial).length;
  const verdicts: Record<string, Verdict> = {
    Accepted: {
      reason: 'Accepted',
      message: bound > 1 ? `Route was valid, bound to ${bound} parents` : 'Route was valid',
      problem: denialOf(attachments),
    },
    ResolvedRefs: { reason: 'ResolvedRefs', message: 'All references resolved', problem: outcome?.problem },
  };
  const { dropped, rules } = outcome ?? { dropped: [], rules: 0 };
  if (dropped.length > 0 && dropped.length < rules)
    verdicts['PartiallyInvalid'] = {
      reason: 'UnsupportedValue',
      message: `Dropped Rule(s) [${dropped.join(', ')}]: ${outcome?.problem?.message ?? ''}`,
    };
  return verdicts;
}

/**
 * The status of a route: one entry for each reference that is ours. Entries of other controllers stay as they are, ours for
 * references that are gone go.
 */
export function routeStatus(
  object: ConfigObject,
  attachments: readonly Attachment[],
  outcome: RouteOutcome,
  { options }: Context,
): object {
  const { namespace, generation } = object.metadata;
  const keyOf = (ref: gatewayApi.ParentReference): string => parentRefKey(ref, namespace);
  const byRef = new Map<string, Attachment[]>();
  for (const attachment of attachments) {
    const key = keyOf(attachment.ref);
    byRef.set(key, [...(byRef.get(key) ?? []), attachment]);
  }
  const before = (object['status'] as { readonly parents?: readonly ParentStatus[] } | undefined)?.parents ?? [];
  const isOurs = ({ controllerName }: ParentStatus): boolean => controllerName === gatewayController;
  const entryOf = (list: readonly Attachment[], known: ParentStatus | undefined): ParentStatus[] => {
    const [first] = list;
    if (!first) return [];
    const verdicts = verdictsOf(list, first.mesh ? outcome.mesh : outcome.gateway);
    const conditions = setConditions(known?.conditions, verdicts, { generation, now: options.now });
    return [{ parentRef: first.ref, controllerName: gatewayController, conditions }];
  };
  const kept = before.flatMap((entry) => {
    if (!isOurs(entry)) return [entry];
    const key = keyOf(entry.parentRef);
    const list = byRef.get(key);
    byRef.delete(key);
    return list ? entryOf(list, entry) : [];
  });
  const added = [...byRef].sort(([a], [b]) => compareText(b, a)).flatMap(([, list]) => entryOf(list, undefined));
  return { parents: [...kept, ...added] };
}
