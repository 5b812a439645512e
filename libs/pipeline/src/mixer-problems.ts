import { type InboundMixer, mixerService } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import type { Mesh, Proxy, Workload } from '@seine/model';
import { inboundMixerOf } from './mixer-policy.js';
import { sidecarOf } from './sidecars.js';

function asks({ ports, rest }: InboundMixer): boolean {
  return [rest, ...ports.values()].some(({ http, tcp }) => (http?.ask ?? tcp?.ask) !== undefined);
}

/** That proxies would ask mixer, and the mesh has none. */
export function mixerProblems(
  mesh: Mesh,
  proxies: readonly Proxy[],
  workload: (proxy: Proxy) => Workload | undefined,
): readonly Diagnostic[] {
  const { host, port } = mixerService(mesh.config);
  if (mesh.services.get(host)?.ports.some((one) => one.port === port)) return [];
  const asking = proxies.flatMap((proxy) => {
    const mixer =
      proxy.type === 'sidecar' ? inboundMixerOf(mesh, proxy, workload(proxy), sidecarOf(mesh, proxy)) : undefined;
    return mixer && asks(mixer) ? [{ proxy, mixer }] : [];
  });
  const [first] = asking;
  if (!first) return [];
  const { proxy, mixer } = first;
  const others = asking.length > 1 ? ` and ${asking.length - 1} more` : '';
  const effect = mixer.failOpen ? 'pass unchecked' : 'get 503';
  return [
    {
      severity: 'warning',
      code: 'SEINE-MIXER-MISSING',
      message: `The proxy of ${proxy.name}.${proxy.namespace}${others} has to ask mixer, and there is no Service ${host} with the port ${port}: requests that its rules may be about ${effect} there. "seinectl explain policy" tells which rules these are.`,
      object: { kind: 'Service', namespace: mesh.config.rootNamespace, name: 'mixer' },
    },
  ];
}
