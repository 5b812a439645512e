import { type BootstrapOptions, parseNode, renderBootstrap } from '@seine/bootstrap';
import { effectiveProxySettings, type EnvoyPatch, groupPatches, patchBootstrap, type PatchSet } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import { toEnvoyJson, validatePgv } from '@seine/envoy';
import { type Bootstrap, BootstrapSchema } from '@seine/envoy/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { parseDuration, type ProxyConfig, proxyConfigAnnotation, readProxyConfigAnnotation } from '@seine/istio';
import type { Mesh } from '@seine/model';
import { patchesOf } from './envoy-filters.js';

/** What an Envoy is started with. */
export interface ProxyStart {
  /** JSON text, as `envoy -c` reads it. */
  readonly bootstrap: string;
  /** Worker threads; 0 = one a CPU core; undefined where nobody says. */
  readonly concurrency: number | undefined;
  /** Time that connections have to end when a listener goes, in seconds; undefined where nobody says. */
  readonly drainSeconds: number | undefined;
  /** Environment variables beyond those of whoever starts it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Patches that the bootstrap does not get. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ProxyStartOptions extends Omit<BootstrapOptions, 'settings'> {
  /** Of the pod. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

type ConfigAndResources = Pick<Mesh, 'config' | 'resources'>;

function settingsFor({ config, resources }: ConfigAndResources, { node, annotations = {} }: ProxyStartOptions) {
  const text = annotations[proxyConfigAnnotation];
  const annotation = text === undefined ? undefined : readProxyConfigAnnotation(text, '').settings;
  const target = { namespace: node.namespace, labels: node.labels ?? {}, annotation };
  return effectiveProxySettings((resources.get('ProxyConfig') ?? []) as readonly ProxyConfig[], target, config);
}

function problem({ filter, index }: EnvoyPatch, complaint: string, proxy: string): Diagnostic {
  const { namespace, name } = filter.metadata;
  return {
    severity: 'warning',
    code: 'SEINE-PATCH',
    message: `Left out of the bootstrap of ${proxy}: Envoy would refuse it: ${complaint}.`,
    object: { kind: 'EnvoyFilter', namespace, name },
    path: `spec.configPatches[${index}]`,
  };
}

/** Patches a bootstrap; what would make Envoy refuse it is left out. */
function patched(
  render: () => Bootstrap,
  patches: PatchSet,
): { bootstrap: Bootstrap; problems: readonly Diagnostic[] } {
  const attempt = (list: readonly EnvoyPatch[]) => {
    const bootstrap = patchBootstrap(render(), groupPatches(list));
    return { bootstrap, complaints: validatePgv(BootstrapSchema, bootstrap) };
  };
  const all = patches.get('BOOTSTRAP') ?? [];
  const whole = attempt(all);
  if (whole.complaints.length === 0) return { bootstrap: whole.bootstrap, problems: [] };
  let best = attempt([]);
  const kept: EnvoyPatch[] = [];
  const problems: Diagnostic[] = [];
  for (const patch of all) {
    const next = attempt([...kept, patch]);
    const [complaint] = next.complaints;
    if (complaint === undefined) {
      kept.push(patch);
      best = next;
    } else problems.push(problem(patch, complaint, best.bootstrap.node?.id ?? ''));
  }
  return { bootstrap: best.bootstrap, problems };
}

/**
 * What to start an Envoy with: its bootstrap, as the mesh's `defaultConfig`, its ProxyConfigs, its pod's annotation and
 * the BOOTSTRAP patches of EnvoyFilters shape it, and what its command line and environment take of them.
 */
export function proxyStart(mesh: ConfigAndResources, options: ProxyStartOptions): ProxyStart {
  const settings = settingsFor(mesh, options);
  const render = () => renderBootstrap({ ...options, settings });
  const parsed = parseNode(render().node);
  const patches = 'proxy' in parsed ? patchesOf(mesh, parsed.proxy) : undefined;
  const { bootstrap, problems } = patches ? patched(render, patches) : { bootstrap: render(), problems: [] };
  const drainMs = settings.drainDuration === undefined ? undefined : parseDuration(settings.drainDuration);
  return {
    bootstrap: `${JSON.stringify(toEnvoyJson(BootstrapSchema, bootstrap), null, 2)}\n`,
    concurrency: settings.concurrency ?? undefined,
    drainSeconds: drainMs === undefined ? undefined : Math.ceil(drainMs / 1000),
    environment: settings.proxyMetadata ?? {},
    diagnostics: problems,
  };
}
