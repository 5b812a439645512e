import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { formatFieldPath } from './field-path.js';

/** RFC 1123 subdomain, as Kubernetes wants names of objects. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** Names of RBAC objects may hold colons, of the old Mixer kinds capitals and underscores. */
const looseNames = /^(rbac\.authorization\.k8s\.io|config\.istio\.io|rbac\.istio\.io)\//;

const longestName = 253;
const longestNamespace = 63;

function error(path: string, message: string): Diagnostic {
  return { severity: 'error', code: 'SEINE-SCHEMA', message, path };
}

/** Files outside Kubernetes may use other names than it allows, as nothing here depends on it. */
function nameErrors({ apiVersion, metadata }: ConfigObject): readonly Diagnostic[] {
  const name: unknown = metadata.name;
  if (typeof name !== 'string' || name === '') return [error('metadata.name', 'metadata.name is required.')];
  if (looseNames.test(apiVersion)) return [];
  if (name.length > longestName || !subdomain.test(name))
    return [
      {
        severity: 'warning',
        code: 'SEINE-SCHEMA',
        message: `Kubernetes would refuse the name ${JSON.stringify(name.slice(0, 80))}: it may have small letters, digits, '-' and '.', and ${longestName} characters at most.`,
        path: 'metadata.name',
      },
    ];
  return [];
}

function namespaceErrors({ metadata }: ConfigObject): readonly Diagnostic[] {
  const namespace: unknown = metadata.namespace;
  if (namespace === undefined || namespace === '') return [];
  if (typeof namespace === 'string' && namespace.length <= longestNamespace && label.test(namespace)) return [];
  return [
    error(
      'metadata.namespace',
      `Got ${JSON.stringify(namespace)}; a namespace has small letters, digits and '-', and at most ${longestNamespace} characters.`,
    ),
  ];
}

function mapErrors({ metadata }: ConfigObject, field: 'labels' | 'annotations'): readonly Diagnostic[] {
  const map: unknown = metadata[field];
  if (map === undefined || map === null) return [];
  if (typeof map !== 'object' || Array.isArray(map))
    return [error(`metadata.${field}`, `metadata.${field} should be an object of texts.`)];
  return Object.entries(map)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) =>
      error(
        formatFieldPath(['metadata', field, key]),
        `Got ${JSON.stringify(value)}, expected a text; put it in quotes.`,
      ),
    );
}

/** What is wrong with the metadata of an object (Kubernetes API conventions, "Metadata"). */
export function metadataErrors(object: ConfigObject): readonly Diagnostic[] {
  const metadata: unknown = object.metadata;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return [error('metadata', 'metadata is required: an object with a name.')];
  return [
    ...nameErrors(object),
    ...namespaceErrors(object),
    ...mapErrors(object, 'labels'),
    ...mapErrors(object, 'annotations'),
  ];
}
