import type { ConfigObject } from '@seine/k8s';
import { stringify } from 'yaml';

/** Writes an object as YAML that `parseConfig` reads back as the same object. */
export function formatObject(object: ConfigObject): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}
