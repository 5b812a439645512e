import { type Diagnostic, hasErrors } from '@seine/diagnostics';
import type { ConfigObject, JsonSchema, KindInfo } from '@seine/k8s';
import { loadYaml } from '../load-when-needed.js';
import { isFields } from '../rules/fields.js';
import { ruleErrors } from '../rules/validate-rules.js';
import { formatFieldPath, type PathStep } from '../validation/field-path.js';
import { normalizeValue } from '../validation/normalize-value.js';
import { schemaErrors } from '../validation/schema-errors.js';
import { Scope } from '../validation/scope.js';
import { withoutEffect } from './acted-on.js';
import { checkMeshConfig } from './check-mesh-config.js';
import { type MeshConfigSpec, MeshConfigSchema } from './mesh-config.js';

export interface ReadMeshConfig {
  /** Undefined where there are errors. */
  readonly spec: MeshConfigSpec | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const schema = MeshConfigSchema as unknown as JsonSchema;
const pathsInside = (path: string, found: readonly Diagnostic[]): readonly Diagnostic[] =>
  found.map((one) => {
    const inner = one.path ?? '';
    return { ...one, path: path === '' || inner === '' ? `${path}${inner}` : `${path}.${inner}` };
  });

/**
 * Validates a MeshConfig as objects are validated: SEINE-SCHEMA, SEINE-UNKNOWN-FIELD, SEINE-INVALID, and
 * SEINE-UNSUPPORTED for each field that nothing acts on. Never throws.
 * @param value parsed YAML; nothing at all counts as empty
 * @param path where it stands, for the paths of diagnostics
 */
export function validateMeshConfig(value: unknown, path = ''): ReadMeshConfig {
  if (value === null || value === undefined) return { spec: {}, diagnostics: [] };
  const normal = normalizeValue(schema, value);
  if (!isFields(normal)) {
    const message = 'The mesh config should be an object of fields.';
    return { spec: undefined, diagnostics: [{ severity: 'error', code: 'SEINE-SCHEMA', message, path }] };
  }
  const structure = pathsInside(path, schemaErrors(schema, normal));
  if (hasErrors(structure)) return { spec: undefined, diagnostics: structure };
  const spec = normal as MeshConfigSpec;
  const meaning: Diagnostic[] = [];
  checkMeshConfig(spec, new Scope(meaning, path));
  const diagnostics = [
    ...structure,
    ...pathsInside(path, ruleErrors(schema, normal)),
    ...meaning,
    ...withoutEffect(normal, schema, path),
  ];
  return { spec: hasErrors(diagnostics) ? undefined : spec, diagnostics };
}

/** Reads a MeshConfig from YAML or JSON text. Never throws. */
export function readMeshConfig(text: string, path = ''): ReadMeshConfig {
  const document = loadYaml().parseDocument(text, { prettyErrors: true, uniqueKeys: true, merge: true });
  const [error] = document.errors;
  if (error) {
    const message = `The mesh config is not YAML: ${error.message.trim()}`;
    return { spec: undefined, diagnostics: [{ severity: 'error', code: 'SEINE-YAML', message, path }] };
  }
  try {
    return validateMeshConfig(document.toJS({ maxAliasCount: 100 }), path);
  } catch (problem) {
    // The parser gives up by exceptions on aliases that explode.
    const message = `The mesh config cannot be resolved: ${problem instanceof Error ? problem.message : String(problem)}`;
    return { spec: undefined, diagnostics: [{ severity: 'error', code: 'SEINE-YAML', message, path }] };
  }
}

const meshKey: readonly PathStep[] = ['data', 'mesh'];

/** Whether a ConfigMap holds a MeshConfig, as Istio's installers name and fill it: `istio`, or `istio-<revision>`. */
export function isMeshConfigMap({ apiVersion, kind, metadata, data }: ConfigObject): boolean {
  return (
    apiVersion === 'v1' &&
    kind === 'ConfigMap' &&
    (metadata.name === 'istio' || metadata.name.startsWith('istio-')) &&
    isFields(data) &&
    typeof data['mesh'] === 'string'
  );
}

/** Reads the MeshConfig of a ConfigMap for which `isMeshConfigMap` holds. */
export function readMeshConfigMap(configMap: ConfigObject): ReadMeshConfig {
  const { data } = configMap;
  const text = isFields(data) ? data['mesh'] : undefined;
  return readMeshConfig(typeof text === 'string' ? text : '', formatFieldPath(meshKey));
}

/** The kind ConfigMap, whose MeshConfig is validated with it. */
export function withMeshConfig(info: KindInfo): KindInfo {
  if (info.group !== '' || info.kind !== 'ConfigMap') return info;
  const validateSpec = (object: ConfigObject) => (isMeshConfigMap(object) ? readMeshConfigMap(object).diagnostics : []);
  return { ...info, validateSpec };
}
