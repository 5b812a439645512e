import { type ConfigObject, type Fields, fieldsOf, itemsOf } from '@seine/k8s';

/** A destination that a VirtualService names. */
export interface NamedDestination {
  readonly path: string;
  readonly destination: Fields;
  /** Copies of requests go here; answers are thrown away. */
  readonly mirror: boolean;
}

/** Every destination that a VirtualService names, or should name: those of routes, then those of mirrors. */
export function destinationsOf(object: ConfigObject): readonly NamedDestination[] {
  const spec = fieldsOf(object.spec);
  const routes: NamedDestination[] = [];
  const mirrors: NamedDestination[] = [];
  const add = (list: NamedDestination[], path: string, value: unknown) => {
    list.push({ path, destination: fieldsOf(value), mirror: list === mirrors });
  };
  for (const part of ['tcp', 'tls', 'http']) {
    itemsOf(spec[part]).forEach((rule, i) => {
      const path = `spec.${part}[${i}]`;
      itemsOf(rule['route']).forEach((one, j) => add(routes, `${path}.route[${j}].destination`, one['destination']));
      if (part !== 'http') return;
      if (rule['mirror'] !== undefined) add(mirrors, `${path}.mirror`, rule['mirror']);
      itemsOf(rule['mirrors']).forEach((one, j) =>
        add(mirrors, `${path}.mirrors[${j}].destination`, one['destination']),
      );
    });
  }
  return [...routes, ...mirrors];
}
