import type { ConfigObject } from '@seine/k8s';
import type { Backend } from './input.js';
import * as internal from './internal.js';

function serviceEntryOf(host: string, backends: readonly Backend[]): ConfigObject | undefined {
  const [first] = backends;
  if (!first) return undefined;
  const { namespace, name, creationTimestamp } = first.metadata;
  const ports = new Map(
    backends.map(({ spec: { port, protocol = 'HTTP' } }) => [
      port.port,
      { number: port.port, name: `${protocol.toLowerCase()}-${port.port}`, protocol },
    ]),
  );
  const sources = backends.map(({ metadata }) => `XBackend/${metadata.namespace}.${metadata.name}`);
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: {
      name: internal.derivedName(name),
      namespace,
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      annotations: { [internal.parents]: sources.join(',') },
    },
    spec: { hosts: [host], ports: [...ports.values()], resolution: 'DNS', location: 'MESH_EXTERNAL' },
  };
}

/** The service that stands for a server outside the mesh, with the ports that XBackends of one namespace have for it. */
export function serviceEntries(backends: readonly Backend[]): readonly ConfigObject[] {
  const byHost = new Map<string, Backend[]>();
  for (const backend of backends) {
    const { type, externalHostname } = backend.spec;
    if (type !== 'ExternalHostname' || !externalHostname) continue;
    const key = `${backend.metadata.namespace}/${externalHostname.hostname}`;
    byHost.set(key, [...(byHost.get(key) ?? []), backend]);
  }
  return [...byHost].flatMap(([key, list]) => serviceEntryOf(key.slice(key.indexOf('/') + 1), list) ?? []);
}
