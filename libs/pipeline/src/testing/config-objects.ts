import type { ConfigObject } from '@seine/k8s';

/** Config objects for tests, as a source hands them on. */

type Labels = Readonly<Record<string, string>>;

interface Named {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly creationTimestamp?: string;
}

function metadata({ name, namespace = 'default', ...more }: Named) {
  return { name, namespace, ...more };
}

export function aKubernetesService(
  fields: Named & { readonly ports?: readonly object[]; readonly clusterIP?: string },
): ConfigObject {
  const { ports = [{ name: 'http', port: 9080 }], clusterIP, ...named } = fields;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(named),
    spec: { clusterIP: clusterIP ?? 'None', selector: { app: named.name }, ports },
  };
}

export function aPod(fields: Named & { readonly ip: string }): ConfigObject {
  const { ip, ...named } = fields;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(named),
    spec: { containers: [] },
    status: { phase: 'Running', podIP: ip },
  };
}

export function anIstioObject(kind: string, named: Named, spec: object): ConfigObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: metadata(named), spec };
}

/** Sends all calls of a host to one destination. */
export function aVirtualService(named: Named, http: readonly object[], more: object = {}): ConfigObject {
  return anIstioObject('VirtualService', named, { hosts: [named.name], http, ...more });
}

export function aDestinationRule(named: Named, more: object = {}): ConfigObject {
  const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
  return anIstioObject('DestinationRule', named, { host: named.name, subsets, ...more });
}

export function toSubset(host: string, subset?: string): object {
  return { route: [{ destination: { host, ...(subset && { subset }) } }] };
}
