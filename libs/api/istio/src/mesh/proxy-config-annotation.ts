import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject, KindInfo } from '@seine/k8s';
import { loadYaml } from '../load-when-needed.js';
import { isFields } from '../rules/fields.js';
import { formatFieldPath } from '../validation/field-path.js';
import { type ProxySettings, ProxySettingsSchema } from './proxy-settings.js';
import { validateMeshConfig } from './read-mesh-config.js';

export const proxyConfigAnnotation = 'proxy.istio.io/config';

export interface ReadProxySettings {
  /** Undefined where there are errors. */
  readonly settings: ProxySettings | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What of the annotation shapes one proxy; the rest of MeshConfig's `defaultConfig` is for the mesh as a whole. */
const ofOneProxy: ReadonlySet<string> = new Set([
  'concurrency',
  'drainDuration',
  'extraStatTags',
  'image',
  'meshId',
  'proxyMetadata',
  'proxyStatsMatcher',
  'runtimeValues',
  'serviceCluster',
  'statNameLength',
  'statsdUdpAddress',
]);

function withoutEffect(settings: ProxySettings, path: string): readonly Diagnostic[] {
  return Object.keys(settings)
    .filter((field) => field in ProxySettingsSchema.properties && !ofOneProxy.has(field))
    .map((field) => ({
      severity: 'warning',
      code: 'SEINE-UNSUPPORTED',
      message: `Seine does not act on ${field} in this annotation: it has no effect.`,
      path,
    }));
}

/**
 * Reads the text of the annotation `proxy.istio.io/config`: settings of one proxy, as MeshConfig's `defaultConfig` has
 * them. Never throws. Diagnostics stand at the annotation, and name the field.
 */
export function readProxyConfigAnnotation(text: string, path: string): ReadProxySettings {
  const fail = (message: string): ReadProxySettings => ({
    settings: undefined,
    diagnostics: [{ severity: 'error', code: 'SEINE-SCHEMA', message, path }],
  });
  let value: unknown;
  try {
    value = loadYaml().parse(text, { maxAliasCount: 100 });
  } catch (error) {
    // The parser reports what is no YAML by exceptions.
    return fail(`The annotation is not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (value === null || value === undefined) return { settings: {}, diagnostics: [] };
  if (!isFields(value)) return fail('The annotation should be an object of fields, as concurrency: 2.');
  const { spec, diagnostics } = validateMeshConfig({ defaultConfig: value });
  const settings = spec?.defaultConfig;
  const found = diagnostics
    .filter(({ code }) => code !== 'SEINE-UNSUPPORTED')
    .map((one) => ({ ...one, message: `${(one.path ?? '').replace('defaultConfig.', '')}: ${one.message}`, path }));
  return { settings, diagnostics: [...found, ...withoutEffect(settings ?? {}, path)] };
}

interface Template {
  readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
}

function annotationsOf({ kind, metadata, spec }: ConfigObject): readonly [Readonly<Record<string, string>>, string[]] {
  if (kind === 'Pod') return [metadata.annotations ?? {}, ['metadata']];
  return [(spec as Template | undefined)?.template?.metadata?.annotations ?? {}, ['spec', 'template', 'metadata']];
}

const withPods: ReadonlySet<string> = new Set(['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);

/**
 * The kinds of pods and what makes them, whose annotation is validated with them. What is wrong in it is a warning: the
 * workload is there all the same.
 */
export function withProxyConfigAnnotation(info: KindInfo): KindInfo {
  if (!withPods.has(info.kind)) return info;
  const validateSpec = (object: ConfigObject): readonly Diagnostic[] => {
    const [annotations, steps] = annotationsOf(object);
    const text: unknown = annotations[proxyConfigAnnotation];
    const own = info.validateSpec?.(object) ?? [];
    if (typeof text !== 'string') return own;
    const path = formatFieldPath([...steps, 'annotations', proxyConfigAnnotation]);
    const { diagnostics } = readProxyConfigAnnotation(text, path);
    return [...own, ...diagnostics.map((one) => ({ ...one, severity: 'warning' as const }))];
  };
  return { ...info, validateSpec };
}
