import { deepEqual } from '@seine/memo';
import type { ConfigObject } from '@seine/k8s';
import { type Condition, setConditions, type Verdicts } from './condition.js';
import type { Context } from './context.js';
import { gatewayController, meshController } from './gateway-classes.js';

/** What a policy's status speaks to: its target (for the mesh), or a Gateway. */
export interface AncestorRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
}

export interface AncestorVerdicts {
  readonly ref: AncestorRef;
  readonly controllerName: string;
  readonly verdicts: Verdicts;
}

/** The names under which a kind keeps its entries: `ancestors` of policies, `parents` of XBackend. */
export interface StatusFields {
  readonly list: 'ancestors' | 'parents';
  readonly ref: 'ancestorRef' | 'parentRef';
  /** Most entries that the specification allows. */
  readonly limit: number;
}

export const policyFields: StatusFields = { list: 'ancestors', ref: 'ancestorRef', limit: 16 };
export const backendFields: StatusFields = { list: 'parents', ref: 'parentRef', limit: 32 };

interface Entry {
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
  readonly ancestorRef?: AncestorRef;
  readonly parentRef?: AncestorRef;
}

/** The annotation by which a policy is left to others. */
export function isIgnored({ metadata }: ConfigObject): boolean {
  return metadata.annotations?.['istio.io/ignore-policy-attachment']?.toLowerCase() === 'true';
}

export const ignoredVerdicts: Verdicts = {
  Accepted: {
    reason: 'Accepted',
    message: 'Configuration is valid',
    problem: {
      reason: 'IgnoredByIstio',
      message: 'Ignored by Istio due to annotation istio.io/ignore-policy-attachment=true',
    },
  },
};

const ours: ReadonlySet<string> = new Set([gatewayController, meshController]);

/** Entries of other controllers stay; ours keep their place, and go where their ancestor has gone. */
export function ancestorStatus(
  object: ConfigObject,
  ancestors: readonly AncestorVerdicts[],
  fields: StatusFields,
  { options }: Context,
): object {
  const context = { generation: object.metadata.generation, now: options.now };
  const before = (object['status'] as Readonly<Record<string, readonly Entry[]>> | undefined)?.[fields.list] ?? [];
  const rest = [...ancestors];
  const entry = ({ ref, controllerName, verdicts }: AncestorVerdicts, known?: Entry): Entry => ({
    [fields.ref]: ref,
    controllerName,
    conditions: setConditions(known?.conditions, verdicts, context),
  });
  const kept = before.flatMap((known) => {
    if (!ours.has(known.controllerName)) return [known];
    const at = rest.findIndex(({ ref }) => deepEqual(ref, known[fields.ref]));
    const [found] = at < 0 ? [] : rest.splice(at, 1);
    return found ? [entry(found, known)] : [];
  });
  return { [fields.list]: [...kept, ...rest.map((each) => entry(each))].slice(0, fields.limit) };
}
