import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { formatDiagnostic, hasErrors } from '@seine/diagnostics';
import { envoyRegistry, TypeUrl, validatePgv } from '@seine/envoy';
import type { ConfigObject } from '@seine/k8s';
import { defaultMeshConfig, type MeshConfig, parseLocality, type Proxy } from '@seine/model';
import { parseConfig } from '@seine/source-file';
import { parse, stringify } from 'yaml';
import { type CompiledProxy, compileProxy } from '../compile-proxy.js';
import { proxyStart } from '../proxy-start.js';
import { MeshUnderTest } from './mesh-under-test.js';

const typeUrls = {
  listeners: TypeUrl.listener,
  routes: TypeUrl.route,
  clusters: TypeUrl.cluster,
  endpoints: TypeUrl.endpoint,
  extensions: TypeUrl.extension,
  secrets: TypeUrl.secret,
} as const;
type Kind = keyof typeof typeUrls;
const kinds = Object.keys(typeUrls) as Kind[];

/** The first document of a case: for whom it is compiled and what of the outcome is looked at. */
interface Header {
  /** `productpage-v1.default`. */
  readonly proxy: string;
  /** Names (`*` stands for anything) by kind. */
  readonly show: Partial<Record<Kind, readonly string[]>>;
  /** Where the proxy is unlike one in iptables mode; `appPorts` as in the node's metadata, `locality` as `region/zone`. */
  readonly overrides?: Readonly<Record<string, unknown>> & { readonly appPorts?: string; readonly locality?: string };
  readonly mesh?: Partial<MeshConfig>;
  /** Shows what its Envoy is started with: the command line, the environment, and these parts of the bootstrap. */
  readonly start?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly bootstrap: readonly string[];
  };
}

export interface GoldenOutcome {
  /** What `out.yaml` has to be. */
  readonly text: string;
  /** What Envoy's own rules say against the whole outcome, shown or not. */
  readonly violations: readonly string[];
  /** The whole outcome. */
  readonly resources: CompiledProxy;
}

function overridesOf({ overrides }: Header): Partial<Proxy> {
  const { appPorts, locality, ...rest } = overrides ?? {};
  const pairs = (appPorts ?? '').split(',').filter(Boolean);
  return {
    ...(rest as Partial<Proxy>),
    ...(appPorts !== undefined && {
      appPorts: new Map(pairs.map((pair) => pair.split('=').map(Number) as [number, number])),
    }),
    ...(locality !== undefined && { locality: parseLocality(locality) }),
  };
}

function nameOf(resource: JsonValue): string {
  const { name, cluster_name: clusterName } = resource as { name?: string; cluster_name?: string };
  return name ?? clusterName ?? '';
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.|[\]()+^$?{}\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** Metrics would be in every listener of every case; those of the features that make them ask for them. */
const withoutMetrics = { defaultProviders: { tracing: [], metrics: [], accessLogging: [] } };

/** Resources of one kind that the header asks for. @throws Error where a pattern finds nothing */
function shown(resources: readonly JsonValue[], patterns: readonly string[], kind: Kind): readonly JsonValue[] {
  for (const pattern of patterns)
    if (!resources.some((resource) => matches(pattern, nameOf(resource))))
      throw new Error(`no ${kind} named ${pattern}, only ${resources.map(nameOf).join(', ')}`);
  return resources
    .filter((resource) => patterns.some((pattern) => matches(pattern, nameOf(resource))))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Envoy's complaints about compiled resources. */
export function violationsOf(compiled: CompiledProxy): readonly string[] {
  const registry = envoyRegistry();
  return kinds.flatMap((kind) => {
    const schema = registry.getMessage(typeUrls[kind].slice(typeUrls[kind].lastIndexOf('/') + 1));
    if (!schema) throw new Error(`no descriptor for ${typeUrls[kind]}`);
    return compiled[kind].flatMap((resource) =>
      validatePgv(schema, fromJson(schema, resource, { registry })).map((v) => `${kind} ${nameOf(resource)}: ${v}`),
    );
  });
}

function startOf({ start, proxy }: Header, objects: readonly ConfigObject[], config: MeshConfig) {
  if (!start) return [];
  const [name = '', namespace = 'default'] = proxy.split('.');
  const { bootstrap, ...rest } = proxyStart(new MeshUnderTest(objects, config).mesh, {
    node: { type: 'sidecar', name, namespace, ipAddresses: ['10.0.0.1'], labels: start.labels },
    annotations: start.annotations,
    xds: { host: '127.0.0.1', port: 15010 },
    admin: { port: 15000 },
    prometheusPort: 0,
    readyPort: 0,
    stats: 'istio',
  });
  const whole = JSON.parse(bootstrap) as Readonly<Record<string, unknown>>;
  const parts = Object.fromEntries(start.bootstrap.map((part) => [part, whole[part]]));
  return [['start', { ...rest, bootstrap: parts }] as const];
}

/**
 * Compiles one case: a `golden:` document, then the YAML of a whole mesh.
 * @throws Error when the YAML is wrong, or nothing is there to be shown
 */
export function compileGolden(input: string, fileName: string): GoldenOutcome {
  const end = input.indexOf('\n---\n');
  const header = (parse(input.slice(0, end)) as { readonly golden: Header }).golden;
  const { objects, diagnostics } = parseConfig(input.slice(end + 1), fileName);
  if (hasErrors(diagnostics)) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  const config = Object.freeze({ ...defaultMeshConfig, ...withoutMetrics, ...header.mesh });
  const compiled = compileProxy({ objects, workload: header.proxy, config, proxy: overridesOf(header) });
  const { resources } = compiled;
  if (!resources) throw new Error(`no workload ${header.proxy}, only ${compiled.workloads.join(', ')}`);
  const result = kinds.flatMap((kind) => {
    const patterns = header.show[kind];
    return patterns ? [[kind, shown(resources[kind], patterns, kind)] as const] : [];
  });
  return {
    text: stringify(Object.fromEntries([...result, ...startOf(header, objects, config)]), {
      lineWidth: 0,
      aliasDuplicateObjects: false,
      blockQuote: 'literal',
    }),
    violations: violationsOf(resources),
    resources,
  };
}
