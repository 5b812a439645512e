import { istioVersion } from '@seine/bootstrap';
import type { Diagnostic } from '@seine/diagnostics';
import { resourceToJson, TypeUrl } from '@seine/envoy';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { type Mesh, type MeshConfig, type Proxy, type Workload } from '@seine/model';
import { buildMesh, findWorkload } from '@seine/registry';
import { blankProxy } from './blank-proxy.js';
import { compileViews, proxyDiagnostics, type Views } from './compiler.js';

export type CompiledJson = ReturnType<typeof resourceToJson>;

/** What a proxy gets, as JSON with Envoy's field names. */
export interface CompiledProxy {
  readonly listeners: readonly CompiledJson[];
  readonly routes: readonly CompiledJson[];
  readonly clusters: readonly CompiledJson[];
  readonly endpoints: readonly CompiledJson[];
  /** WebAssembly modules left out. */
  readonly extensions: readonly CompiledJson[];
  /** Private keys left out. */
  readonly secrets: readonly CompiledJson[];
}

function toJson(views: Views, typeUrl: string): readonly CompiledJson[] {
  return (views.get(typeUrl) ?? []).flatMap((set) => [...set]).map((item) => resourceToJson(typeUrl, item.bytes));
}

/** As Envoy's own config dump shows a secret. */
function withoutPrivateKey(secret: CompiledJson): CompiledJson {
  const { tls_certificate: certificate, ...rest } = secret as {
    readonly tls_certificate?: { readonly private_key?: { readonly filename?: string } };
  };
  // The name of a file is no secret.
  if (!certificate || certificate.private_key?.filename !== undefined) return secret;
  return { ...rest, tls_certificate: { ...certificate, private_key: { inline_string: '[redacted]' } } };
}

/** The module is bytes that nobody reads, and large: its size stands in its place. */
function withoutModule(extension: CompiledJson): CompiledJson {
  return JSON.parse(JSON.stringify(extension), (_key, value: unknown) => {
    const base64 = (value as { readonly inline_bytes?: unknown } | null)?.inline_bytes;
    if (typeof base64 !== 'string') return value;
    return { inline_string: `[${Buffer.byteLength(base64, 'base64')} bytes]` };
  }) as CompiledJson;
}

export function viewsToJson(views: Views): CompiledProxy {
  return {
    listeners: toJson(views, TypeUrl.listener),
    routes: toJson(views, TypeUrl.route),
    clusters: toJson(views, TypeUrl.cluster),
    endpoints: toJson(views, TypeUrl.endpoint),
    extensions: toJson(views, TypeUrl.extension).map(withoutModule),
    secrets: toJson(views, TypeUrl.secret).map(withoutPrivateKey),
  };
}

/** A gateway is known by its labels, as Istio's charts set them, or what deploys Gateways of the Gateway API. */
function isGateway(labels: Readonly<Record<string, string>>): boolean {
  return (labels['istio']?.endsWith('gateway') ?? false) || 'gateway.networking.k8s.io/gateway-name' in labels;
}

const ownMetadata = Object.freeze({ ISTIO_VERSION: istioVersion });

/** The proxy that would stand beside a workload, in iptables mode. */
export function proxyBeside(workload: Workload, config: MeshConfig): Proxy {
  const { name, namespace, labels, addresses } = workload;
  const router = isGateway(labels);
  const dnsDomain = `${namespace}.svc.${config.clusterDomain}`;
  return Object.freeze({
    ...blankProxy,
    id: `${router ? 'router' : 'sidecar'}~${addresses[0] ?? '127.0.0.1'}~${name}.${namespace}~${dnsDomain}`,
    type: router ? 'router' : 'sidecar',
    name,
    namespace,
    ipAddresses: addresses,
    dnsDomain,
    labels,
    workloadName: workload.ownerName,
    serviceAccount: workload.serviceAccount,
    locality: workload.locality,
    network: workload.network,
    clusterId: 'Kubernetes',
    // Who says so of itself has an agent.
    workloadCertificates: labels['security.istio.io/tlsMode'] === 'istio',
    metadata: ownMetadata,
  });
}

export interface CompileProxyInput {
  readonly objects: readonly ConfigObject[];
  /** `reviews-v1` or `reviews-v1.default`; a workload's own name or its owner's. */
  readonly workload: string;
  readonly config: MeshConfig;
  /** Where the proxy is unlike `proxyBeside`: explicit mode, DNS capture, a gRPC library, … */
  readonly proxy?: Partial<Proxy> | undefined;
}

export interface CompileProxyResult {
  readonly resources: CompiledProxy | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Names of workloads there are, `name.namespace`: for the message when there is no such workload. */
  readonly workloads: readonly string[];
}

/** Offline: what the proxy beside a workload would get if these objects were the whole mesh. */
export function compileProxy({ objects, workload: wanted, config, proxy }: CompileProxyInput): CompileProxyResult {
  const byKey = new Map<ObjectKey, ConfigObject>(objects.map((object) => [objectKey(object), object]));
  const { mesh, diagnostics } = buildMesh(undefined, byKey, config);
  const [name, namespace = 'default'] = splitName(wanted);
  const workload = findWorkload(mesh, byKey, name, namespace);
  const workloads = workloadNames(mesh, objects);
  if (!workload) return { resources: undefined, diagnostics, workloads };
  const beside = Object.freeze({ ...proxyBeside(workload, config), ...proxy });
  const views = compileViews(mesh, beside, workload);
  const left = proxyDiagnostics(mesh, beside, workload);
  return { resources: viewsToJson(views), diagnostics: [...diagnostics, ...left], workloads };
}

function splitName(text: string): readonly [string, string?] {
  const dot = text.lastIndexOf('.');
  return dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}

const owners = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Names of all workloads, running or only declared. */
export function workloadNames(mesh: Mesh, objects: readonly ConfigObject[]): readonly string[] {
  const running = [...mesh.workloads.values()].map(({ name, namespace }) => `${name}.${namespace}`);
  const declared = objects
    .filter(({ kind }) => owners.has(kind))
    .map(({ metadata }) => `${metadata.name}.${metadata.namespace}`);
  return [...new Set([...running, ...declared])].sort();
}
