import type { Telemetry } from '@seine/istio';
import type { MeshConfig } from '@seine/model';

/** Which side of calls a filter chain reports: the caller's or the called one's. Gateways report as callers. */
export type Side = 'CLIENT' | 'SERVER';

export function matchesSide(mode: string | undefined, side: Side): boolean {
  return mode === undefined || mode === 'CLIENT_AND_SERVER' || mode === side;
}

/** Names in a list of providers; undefined where there are none, which means "those of before". */
export function providerNames(
  providers: readonly { readonly name: string }[] | undefined,
): readonly string[] | undefined {
  return providers?.length ? providers.map(({ name }) => name) : undefined;
}

function isForAll({ spec }: Telemetry): boolean {
  const targets = [...(spec.targetRefs ?? []), ...(spec.targetRef ? [spec.targetRef] : [])];
  return targets.length === 0 && Object.keys(spec.selector?.matchLabels ?? {}).length === 0;
}

/**
 * The Telemetry resources that count for a proxy, the farthest first: of those for a whole namespace the oldest, all
 * of those that select the workload.
 * @param selected as ChainPolicies has them
 */
export function telemetryLevels(selected: readonly Telemetry[], { rootNamespace }: MeshConfig): readonly Telemetry[] {
  const wide = selected.filter(isForAll);
  const first = (inRoot: boolean): readonly Telemetry[] =>
    wide.filter(({ metadata }) => (metadata.namespace === rootNamespace) === inRoot).slice(0, 1);
  return [...first(true), ...first(false), ...selected.filter((telemetry) => !isForAll(telemetry))];
}
