import { type Container, type HttpGet, type Probe, without } from './pod.js';

const probes = { livenessProbe: 'livez', readinessProbe: 'readyz', startupProbe: 'startupz' } as const;
const hooks = { postStart: 'poststartz', preStop: 'prestopz' } as const;

/** What the proxy does when a path of its status port is asked: a probe of the application, as it was written. */
export interface AppProbe {
  /** `/app-health/CONTAINER/livez` */
  readonly path: string;
  /** Named ports are resolved. */
  readonly probe: Probe;
  /** How long it may take, seconds. */
  readonly timeoutSeconds: number;
}

export interface RewrittenProbes {
  readonly containers: readonly Container[];
  readonly appProbes: readonly AppProbe[];
}

/**
 * Leads kubelet's probes over the proxy's status port: kubelet has no certificate of the mesh, and what it asks on the
 * application's own port would be intercepted. `exec` is left as it is.
 * @param statusPort where the proxy answers
 */
export function rewriteProbes(containers: readonly Container[], statusPort: number): RewrittenProbes {
  const appProbes: AppProbe[] = [];
  const rewrite = (container: Container, probe: Probe | undefined, path: string): Probe | undefined => {
    const resolved = probe && resolvePorts(container, probe);
    if (!probe || !resolved) return probe;
    appProbes.push({ path, probe: resolved, timeoutSeconds: probe.timeoutSeconds ?? 1 });
    return {
      ...without(probe, 'httpGet', 'tcpSocket', 'grpc'),
      httpGet: { path, port: statusPort, ...asWritten(probe) },
    };
  };
  const rewritten = containers.map((container) => {
    const changed: Record<string, unknown> = {};
    for (const [field, name] of Object.entries(probes) as [keyof typeof probes, string][])
      if (container[field])
        changed[field] = rewrite(container, container[field], `/app-health/${container.name}/${name}`);
    const lifecycle = rewriteHooks(container, (probe, name) =>
      rewrite(container, probe, `/app-lifecycle/${container.name}/${name}`),
    );
    return { ...container, ...changed, ...(lifecycle && { lifecycle }) };
  });
  return { containers: rewritten, appProbes };
}

function rewriteHooks(
  { lifecycle }: Container,
  rewrite: (probe: Probe, name: string) => Probe | undefined,
): Container['lifecycle'] {
  if (!lifecycle) return undefined;
  const changed: Record<string, unknown> = {};
  for (const [field, name] of Object.entries(hooks) as [keyof typeof hooks, string][]) {
    const hook = lifecycle[field];
    if (hook) changed[field] = rewrite(hook, name);
  }
  return { ...lifecycle, ...changed };
}

/** The proxy answers in plain HTTP, whatever the application speaks. */
function asWritten({ httpGet }: Probe): Pick<HttpGet, 'scheme'> {
  return httpGet?.scheme === undefined ? {} : { scheme: 'HTTP' };
}

/** Undefined where there is nothing to lead over the proxy, or a port is named that the container does not have. */
function resolvePorts(container: Container, probe: Probe): Probe | undefined {
  const { httpGet, tcpSocket, grpc } = probe;
  const asked = httpGet ?? tcpSocket ?? grpc;
  if (!asked) return undefined;
  const port = typeof asked.port === 'number' ? asked.port : namedPort(container, asked.port);
  if (port === undefined) return undefined;
  if (httpGet) return { httpGet: { ...httpGet, port } };
  return tcpSocket ? { tcpSocket: { ...tcpSocket, port } } : { grpc: { ...grpc, port } };
}

function namedPort({ ports = [] }: Container, name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  return ports.find((port) => port.name === name)?.containerPort;
}

/** Undoes `rewriteProbes`, by what it led over the proxy. */
export function restoreProbes(containers: readonly Container[], appProbes: readonly AppProbe[]): readonly Container[] {
  const byPath = new Map(appProbes.map((one) => [one.path, one.probe]));
  const restore = (probe: Probe | undefined): Probe | undefined => {
    const original = probe && byPath.get(probe.httpGet?.path ?? '');
    if (!probe || !original) return probe;
    return { ...without(probe, 'httpGet'), ...original };
  };
  return containers.map((container) => {
    const changed: Record<string, unknown> = {};
    for (const field of Object.keys(probes) as (keyof typeof probes)[])
      if (container[field]) changed[field] = restore(container[field]);
    const lifecycle = container.lifecycle && { ...container.lifecycle };
    if (lifecycle)
      for (const field of Object.keys(hooks) as (keyof typeof hooks)[])
        if (lifecycle[field]) Object.assign(lifecycle, { [field]: restore(lifecycle[field]) });
    return { ...container, ...changed, ...(lifecycle && { lifecycle }) };
  });
}
