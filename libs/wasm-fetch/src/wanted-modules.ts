import type { TrafficExtension, WasmPlugin, WasmSettings } from '@seine/istio';
import { type ConfigObject, objectKey, type Secret, secretValue } from '@seine/k8s';
import type { ModuleRequest } from './load-module.js';

/** A resource that wants a module. */
export interface Wanted {
  /** The key of the resource. */
  readonly key: string;
  readonly resource: WasmPlugin | TrafficExtension;
  readonly request: ModuleRequest;
  /** Resources with the same text share one download; another text is another download. */
  readonly download: string;
}

type Resources = ReadonlyMap<string, readonly ConfigObject[]>;

function settingsOf(resource: WasmPlugin | TrafficExtension): WasmSettings | undefined {
  return resource.kind === 'WasmPlugin' ? resource.spec : resource.spec.wasm;
}

/** An image that may be another one under the same address: fetched anew when its resource changes. */
function isPulledAnew({ url, imagePullPolicy }: WasmSettings): boolean {
  if (imagePullPolicy === 'Always') return true;
  if (imagePullPolicy === 'IfNotPresent' || /^(https?|file):\/\//.test(url) || url.includes('@')) return false;
  const name = url.slice(url.lastIndexOf('/') + 1);
  return !name.includes(':') || name.endsWith(':latest');
}

function dockerConfig(resources: Resources, namespace: string, name: string | undefined): string {
  if (!name) return '';
  const secrets = (resources.get('Secret') ?? []) as readonly Secret[];
  const secret = secrets.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const value = secret && (secretValue(secret, '.dockerconfigjson') ?? secretValue(secret, '.dockercfg'));
  return value?.toString() ?? '';
}

/** Every module that resources of a mesh want. */
export function wantedModules(resources: Resources): readonly Wanted[] {
  const all = [...(resources.get('WasmPlugin') ?? []), ...(resources.get('TrafficExtension') ?? [])];
  return (all as readonly (WasmPlugin | TrafficExtension)[]).flatMap((resource) => {
    const settings = settingsOf(resource);
    if (!settings) return [];
    const { url, sha256 = '', imagePullSecret } = settings;
    const request = {
      url,
      sha256,
      dockerConfig: dockerConfig(resources, resource.metadata.namespace, imagePullSecret),
    };
    const anew = isPulledAnew(settings) ? [objectKey(resource), resource.spec, resource.metadata.annotations] : [];
    return [{ key: objectKey(resource), resource, request, download: JSON.stringify([request, ...anew]) }];
  });
}
