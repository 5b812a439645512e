/** The reserved gateway name that means every sidecar. */
export const meshGateway = 'mesh';

/**
 * Completes a Gateway's name as a VirtualService writes it to `namespace/name`: a bare name and `./name` belong to the
 * VirtualService's namespace; `name.namespace.svc.…` is the form before Istio 1.1. `mesh` stays.
 */
export function qualifyGateway(name: string, namespace: string): string {
  if (name === meshGateway) return name;
  if (name.startsWith('./')) return `${namespace}/${name.slice(2)}`;
  if (name.includes('/')) return name;
  const [first = '', second] = name.split('.');
  return second === undefined ? `${namespace}/${name}` : `${second}/${first}`;
}
