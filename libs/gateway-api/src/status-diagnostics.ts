import type { Diagnostic } from '@seine/diagnostics';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import type { Condition } from './condition.js';
import { gatewayController, meshController } from './gateway-classes.js';

interface Entry {
  readonly name?: string;
  readonly controllerName?: string;
  readonly conditions?: readonly Condition[];
}

interface AnyStatus {
  readonly conditions?: readonly Condition[];
  readonly listeners?: readonly Entry[];
  readonly parents?: readonly Entry[];
  readonly ancestors?: readonly Entry[];
}

/** Conditions that should hold; the others tell of trouble where they do. */
const wanted: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs', 'Programmed']);
const unwanted: ReadonlySet<string> = new Set(['Conflicted', 'PartiallyInvalid']);

function isTrouble({ type, status }: Condition): boolean {
  return (status === 'False' && wanted.has(type)) || (status === 'True' && unwanted.has(type));
}

function isOurs({ controllerName }: Entry): boolean {
  return controllerName === undefined || controllerName === gatewayController || controllerName === meshController;
}

function entriesOf(
  status: AnyStatus,
): readonly (readonly [path: string | undefined, conditions: readonly Condition[]])[] {
  const of = (list: readonly Entry[] | undefined, pathOf: (i: number) => string | undefined) =>
    (list ?? []).flatMap((entry, i) => (isOurs(entry) ? [[pathOf(i), entry.conditions ?? []] as const] : []));
  return [
    [undefined, status.conditions ?? []],
    ...of(status.listeners, (i) => `spec.listeners[${i}]`),
    ...of(status.parents, () => undefined),
    ...of(status.ancestors, () => undefined),
  ];
}

/** Where to look: what is not resolved is named by rules. */
function pathOf(type: string, path: string | undefined, { kind }: ConfigObject): string | undefined {
  if (path !== undefined || !kind.endsWith('Route')) return path;
  return type === 'Accepted' ? 'spec.parentRefs' : 'spec.rules';
}

/** What statuses say is wrong, each once: SEINE-GATEWAY-API. @param statuses by key of the object */
export function statusDiagnostics(
  objects: readonly ConfigObject[],
  statuses: ReadonlyMap<ObjectKey, object>,
): readonly Diagnostic[] {
  return objects.flatMap((object) => {
    const status = statuses.get(objectKey(object)) as AnyStatus | undefined;
    if (!status) return [];
    const { namespace, name } = object.metadata;
    const found = new Map<string, Diagnostic>();
    for (const [at, conditions] of entriesOf(status))
      for (const { type, reason, message } of conditions.filter(isTrouble)) {
        const path = pathOf(type, at, object);
        const text = `${message.replace(/[.;]?$/, '')} (${reason}).`;
        if (!found.has(text))
          found.set(text, {
            severity: 'warning',
            code: 'SEINE-GATEWAY-API',
            message: text,
            object: { kind: object.kind, namespace: namespace || undefined, name },
            ...(path !== undefined && { path }),
          });
      }
    return [...found.values()];
  });
}
