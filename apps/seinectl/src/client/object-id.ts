import { groupOf, type ConfigObject } from '@seine/k8s';
import type { ObjectId } from './config-api.js';

export function objectIdOf({ apiVersion, kind, metadata: { namespace, name } }: ConfigObject): ObjectId {
  return { group: groupOf(apiVersion), kind, namespace, name };
}
