import { type ChainExtension, type ChainPolicies, emitAuthorizationConfig, emitExtensionConfig } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';
import { encodeResource, TypeUrl } from '@seine/envoy';
import { TypedExtensionConfigSchema } from '@seine/envoy/envoy/config/core/v3/extension_pb.js';
import { memo } from '@seine/memo';
import type { Mesh, MeshConfig, Proxy } from '@seine/model';
import { type Resource, resource, type ResourceSet, type Snapshot } from '@seine/snapshot';
import { lacksRuntime } from './chain-extensions.js';
import { extensionsOf, policiesOf } from './policies.js';
import { internSet } from './resource-sets.js';
import { scopeOf, withoutEndpoints } from './scope.js';

type Views = Snapshot['views'];
type Extensions = readonly ChainExtension[];

/** One extension's resource: encoded once, however many proxies run it, as modules are large. */
const extensionResource = memo('extensionConfig', (extension: ChainExtension): Resource | undefined => {
  const config = emitExtensionConfig(extension);
  return config && resource(config.name, encodeResource(TypedExtensionConfigSchema, config));
});

/** Who may what, for the place that HTTP chains have for it. */
const authorizationResource = memo(
  'authorizationConfig',
  (
    policies: ChainPolicies['authorization'],
    providerClusters: ChainPolicies['providerClusters'],
    config: MeshConfig,
  ): Resource => {
    const emitted = emitAuthorizationConfig({ policies, providerClusters, config });
    return resource(emitted.name, encodeResource(TypedExtensionConfigSchema, emitted));
  },
);

function authorizationOf(mesh: Mesh, proxy: Proxy): Resource | undefined {
  if (!proxy.hasFilterChain) return undefined;
  const { services } = scopeOf(withoutEndpoints(mesh), proxy);
  const role = proxy.type === 'router' ? 'gateway' : 'inbound';
  const { authorization, providerClusters } = policiesOf(mesh, proxy, role, services);
  return authorizationResource(authorization, providerClusters, mesh.config);
}

const extensionSet = memo(
  'extensionSet',
  (first: Extensions, second: Extensions, authorization: Resource | undefined): ResourceSet | undefined => {
    const modules = [...new Set([...first, ...second])].flatMap((extension) => extensionResource(extension) ?? []);
    const all = authorization ? [...modules, authorization] : modules;
    return all.length === 0 ? undefined : internSet(all);
  },
);

const joinViews = memo(
  'viewsWithExtensions',
  (views: Views, set: ResourceSet): Views => new Map([...views, [TypeUrl.extension, Object.freeze([set])]]),
);

/** What runs on a proxy: of a sidecar on both its sides. */
function extensionsOfProxy(mesh: Mesh, proxy: Proxy): readonly [Extensions, Extensions] {
  if (proxy.type === 'router') return [extensionsOf(mesh, proxy, 'gateway'), noneOther];
  return [extensionsOf(mesh, proxy, 'inbound'), extensionsOf(mesh, proxy, 'outbound')];
}

const noneOther: Extensions = Object.freeze([]);

/** Adds the configs of a proxy's WebAssembly modules and its authorization to what it gets; the same views where it has neither. */
export function withExtensions(views: Views, mesh: Mesh, proxy: Proxy): Views {
  const set = extensionSet(...extensionsOfProxy(mesh, proxy), authorizationOf(mesh, proxy));
  return set ? joinViews(views, set) : views;
}

/** The extensions that a proxy cannot run, as its Envoy has no runtime for WebAssembly. */
export function extensionProblems(mesh: Mesh, proxy: Proxy): readonly Diagnostic[] {
  if (!proxy.lacksWasm) return [];
  const affected = new Set(extensionsOfProxy(mesh, proxy).flat().filter(lacksRuntime));
  return [...affected].map(({ resource: { kind, metadata, spec } }) => {
    const { failStrategy } = (kind === 'WasmPlugin' ? spec : spec.wasm) ?? {};
    const effect = failStrategy === 'FAIL_OPEN' ? 'it is left out there' : 'requests are refused there with 503';
    return {
      severity: 'warning' as const,
      code: 'SEINE-WASM-RUNTIME',
      message: `The Envoy of ${proxy.name}.${proxy.namespace} has no runtime for WebAssembly: ${effect}.`,
      object: { kind, namespace: metadata.namespace, name: metadata.name },
    };
  });
}
