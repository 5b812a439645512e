import type { gatewayApi } from '@seine/istio';
import { compareText, type ConfigObject } from '@seine/k8s';
import type { Context } from './context.js';
import type { Gateway } from './input.js';
import { namespaceLabels, selects } from './label-selector.js';

export interface RouteKind {
  readonly group: string;
  readonly kind: string;
}

const gatewayGroup = 'gateway.networking.k8s.io';
const routeKind = (kind: string): RouteKind => ({ group: gatewayGroup, kind });

function kindsOfProtocol({ protocol, tls }: gatewayApi.Listener): readonly RouteKind[] {
  switch (protocol) {
    case 'HTTP':
    case 'HTTPS':
      return [routeKind('HTTPRoute'), routeKind('GRPCRoute')];
    case 'TCP':
      return [routeKind('TCPRoute')];
    case 'TLS':
      return tls?.mode === 'Terminate' ? [routeKind('TLSRoute'), routeKind('TCPRoute')] : [routeKind('TLSRoute')];
    default:
      return [];
  }
}

/** The kinds of routes that a listener takes; `valid`: all that it asks for are among those of its protocol. */
export function supportedKinds(listener: gatewayApi.Listener): {
  readonly kinds: readonly RouteKind[];
  readonly valid: boolean;
} {
  const possible = kindsOfProtocol(listener);
  const asked = listener.allowedRoutes?.kinds ?? [];
  if (asked.length === 0) return { kinds: possible, valid: true };
  const kinds = possible.filter(({ group, kind }) =>
    asked.some((each) => each.kind === kind && (each.group ?? gatewayGroup) === group),
  );
  return { kinds, valid: kinds.length === asked.length };
}

function selectedNamespaces(selector: gatewayApi.LabelSelector, namespaces: readonly ConfigObject[]): string[] {
  return namespaces
    .filter(({ metadata }) => selects(selector, namespaceLabels(metadata.name, metadata.labels)))
    .map(({ metadata }) => metadata.name)
    .sort(compareText);
}

/** The hosts of an Istio server: `namespace/host` for each namespace whose routes may be attached; `~` stands for none. */
export function serverHosts(
  { hostname = '*', allowedRoutes }: gatewayApi.Listener,
  ownNamespace: string,
  { inputs }: Context,
): readonly string[] {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {};
  switch (from) {
    case 'Same':
      return [`${ownNamespace}/${hostname}`];
    case 'None':
      return [`~/${hostname}`];
    case 'All':
      return [`*/${hostname}`];
    case 'Selector': {
      if (!selector) return [`*/${hostname}`];
      const names = selectedNamespaces(selector, inputs.namespaces());
      return names.length === 0 ? [`~/${hostname}`] : names.map((name) => `${name}/${hostname}`);
    }
  }
}

/** Whether a Gateway takes the ListenerSets of a namespace; nothing said means no. */
export function allowsListenersOf(namespace: string, gateway: Gateway, { inputs }: Context): boolean {
  const namespaces = gateway.spec.allowedListeners?.namespaces;
  if (!namespaces) return false;
  switch (namespaces.from) {
    case 'All':
      return true;
    case 'Same':
      return namespace === gateway.metadata.namespace;
    case 'None':
      return false;
    default: {
      const object = inputs.find('/Namespace', '', namespace);
      if (!namespaces.selector || !object) return false;
      return selects(namespaces.selector, namespaceLabels(namespace, object.metadata.labels));
    }
  }
}
