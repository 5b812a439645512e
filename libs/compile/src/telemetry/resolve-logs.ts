import type { AccessLogging, ExtensionProvider } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { matchesSide, providerNames, type Side } from './levels.js';
import { isMixer } from './mixer-service.js';
import { findProvider } from './providers.js';

/** Where a proxy logs to. */
export interface LogTarget {
  readonly provider: ExtensionProvider;
  /** CEL that must hold for what is logged. */
  readonly filter: string | undefined;
}

/** The state of one provider: where it is in the list of what is logged, and what filter holds. */
interface Setting {
  readonly disabled: boolean;
  readonly filter: string | undefined;
}

/**
 * The access logs of one side of a proxy (Istio, "Telemetry", access logging): entries in order of the mesh, the
 * namespace and the workload; the last level that names providers says which; an entry without providers is about
 * those of the entry before.
 * @param levels the `accessLogging` of each Telemetry, the farthest first
 * @returns undefined where nobody says anything of this side: then the mesh config's accessLogFile counts. Mixer is not among
 * them (see `resolveMixer`)
 */
export function resolveLogs(
  levels: readonly (readonly AccessLogging[])[],
  config: MeshConfig,
  side: Side,
): readonly LogTarget[] | undefined {
  const defaults = config.defaultProviders.accessLogging;
  const settings = levels.length === 0 ? allOn(defaults) : mergeLevels(levels, defaults, side);
  const targets = [...settings].flatMap(([name, { disabled, filter }]) => {
    const provider = isMixer(name) ? undefined : findProvider(config, name);
    return provider ? [{ provider, filter, disabled }] : [];
  });
  // Who names mixer and nobody else has said where it goes; a mixer by default says nothing of files.
  const isSaid = levels.length > 0 && [...settings.keys()].some(isMixer);
  if (targets.length === 0) return isSaid ? [] : undefined;
  return targets
    .filter(({ disabled }) => !disabled)
    .map(({ provider, filter }) => ({ provider, filter }))
    .sort((a, b) => (a.provider.name < b.provider.name ? -1 : 1));
}

function allOn(names: readonly string[]): ReadonlyMap<string, Setting> {
  return new Map(names.map((name) => [name, { disabled: false, filter: undefined }]));
}

function mergeLevels(
  levels: readonly (readonly AccessLogging[])[],
  defaults: readonly string[],
  side: Side,
): ReadonlyMap<string, Setting> {
  const inScope = namedLast(levels, side) ?? new Set(defaults);
  const settings = new Map<string, Setting>();
  let current = defaults;
  for (const entry of levels.flat()) {
    const named = providerNames(entry.providers);
    current = named ?? current;
    if (!matchesSide(entry.match?.mode, side)) continue;
    for (const name of current) {
      if (!inScope.has(name)) continue;
      // Without providers an entry speaks of the one before, whose filter stays unless it has its own.
      const inherited = named ? undefined : settings.get(name)?.filter;
      const filter = entry.filter?.expression || inherited;
      settings.set(name, { disabled: entry.disabled === true, filter });
    }
  }
  return settings;
}

/** The providers of the last level that names any for this side. */
function namedLast(levels: readonly (readonly AccessLogging[])[], side: Side): ReadonlySet<string> | undefined {
  const named = levels.map(
    (entries) =>
      new Set(
        entries.filter(({ match }) => matchesSide(match?.mode, side)).flatMap((e) => providerNames(e.providers) ?? []),
      ),
  );
  return named.findLast((names) => names.size > 0);
}
