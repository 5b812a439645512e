import type { AdapterContext, ParamsProblem, Templates } from '@seine/mixer';
import { textOf } from '../values/values.js';

export interface Override {
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly maxAmount?: number;
}

export interface QuotaParams {
  readonly name?: string;
  readonly overrides?: readonly Override[];
}

type Instance = Templates['quota'];

/**
 * The first override whose dimensions an instance all has; else the quota itself. A dimension that an override does not
 * name may be anything.
 */
export function limitOf<Q extends QuotaParams>(
  quota: Q,
  { dimensions, instance }: Instance,
  { instances }: AdapterContext,
): Q | NonNullable<Q['overrides']>[number] {
  const types = instances.get(instance)?.maps['dimensions'];
  for (const override of quota.overrides ?? []) {
    let all = true;
    for (const name in override.dimensions)
      if (textOf(dimensions.get(name), types?.get(name)) !== override.dimensions[name]) {
        all = false;
        break;
      }
    if (all) return override;
  }
  return quota;
}

/** Longer values are told apart by their beginning and length only: keys are kept. */
const longestValue = 512;

/** What is counted together: instances of one name and equal dimensions. */
export function quotaKey({ instance, dimensions }: Instance, { instances }: AdapterContext): string {
  const types = instances.get(instance)?.maps['dimensions'];
  let key = instance;
  for (const name of dimensions.size > 1 ? [...dimensions.keys()].sort() : dimensions.keys()) {
    const text = textOf(dimensions.get(name), types?.get(name));
    key += `;${name}=${text.length > longestValue ? `${text.slice(0, longestValue)}…${text.length}` : text}`;
  }
  return key;
}

/**
 * Quotas by the full name of the instance that they limit.
 * @throws Error where an instance is handed to the handler that it has no quota for
 */
export function quotasByName<Q extends QuotaParams>(
  quotas: readonly Q[],
  { instances }: AdapterContext,
): ReadonlyMap<string, Q> {
  const byName = new Map(quotas.map((quota) => [quota.name ?? '', quota]));
  for (const [name, { template }] of instances)
    if (template === 'quota' && !byName.has(name))
      throw new Error(`there is no quota named '${name}'; quotas has ${[...byName.keys()].join(', ') || 'none'}`);
  return byName;
}

/** What is wrong with what both kinds of quotas have. */
export function quotaProblems(quotas: readonly QuotaParams[]): readonly ParamsProblem[] {
  const seen = new Set<string>();
  return quotas.flatMap(({ name = '' }, i): readonly ParamsProblem[] => {
    const path = `quotas[${i}].name`;
    if (name === '')
      return [{ path, message: 'Must be the full name of a quota instance, as requestcount.instance.istio-system.' }];
    if (seen.has(name)) return [{ path, message: `There are two quotas named ${name}.` }];
    seen.add(name);
    return [];
  });
}
