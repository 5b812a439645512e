import { type Diagnostic, hasErrors, type ObjectRef } from '@seine/diagnostics';
import { type ConfigObject, groupOf, isLeftAlone, type JsonSchema, k8sKinds, type KindInfo } from '@seine/k8s';
import { kindInfo, kindsOfGroup } from '../kinds/catalog.js';
import { legacySecurityGroups } from '../legacy-security/kinds.js';
import { mixerGroup } from '../mixer/kinds.js';
import { ruleErrors } from '../rules/validate-rules.js';
import { metadataErrors } from './metadata-errors.js';
import { suggestion } from './near-match.js';
import { normalizeObject } from './normalize-object.js';
import { schemaErrors } from './schema-errors.js';

const kubernetesGroups: ReadonlySet<string> = new Set(k8sKinds.map((info) => info.group));

/** Groups whose objects say who may do what. */
const policyGroups: ReadonlySet<string> = new Set(['security.istio.io', mixerGroup, ...legacySecurityGroups]);

/** What every object has, whatever its kind. */
const outsideSchemas: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

function withoutEffect(message: string): Diagnostic {
  return { severity: 'warning', code: 'SEINE-UNSUPPORTED', message };
}

function unknownKind({ apiVersion, kind }: ConfigObject): readonly Diagnostic[] {
  const group = groupOf(apiVersion);
  if (isLeftAlone(group)) return [];
  const known = kindsOfGroup(group);
  if (!known) return [withoutEffect(`Seine does not read ${kind} of ${group || 'the core group'}; it has no effect.`)];
  return [
    {
      severity: 'error',
      code: 'SEINE-SCHEMA',
      message: `There is no kind ${kind} in ${group ? `the API group ${group}` : 'the core API group'}.${suggestion(kind, known.keys())}`,
      path: 'kind',
    },
  ];
}

function versionErrors({ apiVersion }: ConfigObject, { group, kind, versions }: KindInfo): readonly Diagnostic[] {
  const version = versionOf(apiVersion);
  const served = versions.filter((v) => v.served).map((v) => v.name);
  if (served.includes(version)) return [];
  const prefix = group ? `${group}/` : '';
  return [
    {
      severity: 'error',
      code: 'SEINE-SCHEMA',
      message: `${kind} has no version ${version}; use ${served.map((name) => `${prefix}${name}`).join(', ')}.`,
      path: 'apiVersion',
    },
  ];
}

/** A misspelt field of a policy would let in whom it was written to keep out, so there it is an error. */
function inPolicy({ group }: KindInfo, found: Diagnostic): Diagnostic {
  return policyGroups.has(group) && found.code === 'SEINE-UNKNOWN-FIELD'
    ? { ...found, severity: 'error', message: found.message.replace(', so it has no effect', '') }
    : found;
}

function contentErrors(object: ConfigObject, schema: JsonSchema, info: KindInfo): readonly Diagnostic[] {
  const content = Object.fromEntries(Object.entries(object).filter(([field]) => !outsideSchemas.has(field)));
  const structure = schemaErrors(schema, content).map((found) => inPolicy(info, found));
  if (hasErrors(structure)) return structure;
  const found = [...structure, ...ruleErrors(schema, content)];
  return hasErrors(found) || !info.validateSpec ? found : [...found, ...info.validateSpec(object)];
}

function effectWarnings({ actedOn, group, kind }: KindInfo): readonly Diagnostic[] {
  if (actedOn || kubernetesGroups.has(group)) return [];
  return [withoutEffect(`Seine knows ${kind} of ${group}, but does not act on it: it has no effect.`)];
}

/** Whoever reads config from outside the type system may hand over anything. */
function identityErrors({ apiVersion, kind }: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  return Object.entries({ apiVersion, kind })
    .filter(([, value]) => typeof value !== 'string' || value === '')
    .map(([path]) => ({
      severity: 'error',
      code: 'SEINE-SCHEMA',
      message: `${path} is required: a text that is not empty.`,
      path,
    }));
}

function contentOf(object: ConfigObject): readonly Diagnostic[] {
  const normal = normalizeObject(object);
  const info = kindInfo(normal.apiVersion, normal.kind);
  if (!info) return [...metadataErrors(normal), ...unknownKind(normal)];
  // Of kinds that are known by name only, nothing is looked at.
  const content = info.schema ? [...metadataErrors(normal), ...contentErrors(normal, info.schema, info)] : [];
  return [...versionErrors(normal, info), ...content, ...effectWarnings(info)];
}

function refOf({ kind, metadata }: ConfigObject): ObjectRef {
  const { name, namespace } = (metadata as Partial<ConfigObject['metadata']> | undefined) ?? {};
  return { kind, namespace: namespace || undefined, name: name ?? '' };
}

/**
 * All that is wrong with an object by itself: its metadata, whether its kind and version exist, its fields (SEINE-SCHEMA;
 * SEINE-UNKNOWN-FIELD for those that do not exist), what must hold between them (SEINE-INVALID), and that it has no
 * effect (SEINE-UNSUPPORTED). References to other objects are not looked at. Never throws.
 */
export function validateObject(object: ConfigObject): readonly Diagnostic[] {
  const unreadable = identityErrors(object);
  const found = unreadable.length > 0 ? unreadable : contentOf(object);
  const ref = refOf(object);
  return found.map((diagnostic) => ({ ...diagnostic, object: ref }));
}
