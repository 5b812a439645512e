import { type ConfigObject, type Fields, fieldsOf, itemsOf, type Labels, labelsOf, textOf } from '@seine/k8s';
import { parse } from 'yaml';
import type { AnalyzeInput } from '../frame/finding.js';

/** What analyzers need of MeshConfig and MeshNetworks (Istio's mesh configuration). */
export interface MeshSettings {
  readonly rootNamespace: string;
  readonly ingressControllerMode: string;
  readonly ingressService: string;
  /** `defaultConfig.image.imageType` */
  readonly imageType: string;
  /** `defaultConfig.proxyMetadata` */
  readonly proxyMetadata: Labels;
  /** Names of `extensionProviders` of Lightstep. */
  readonly lightstepProviders: ReadonlySet<string>;
  readonly hasDefaultAccessLogProvider: boolean;
  readonly networks: Fields;
}

/** YAML of people as an object; what cannot be read reads as empty. */
export function parseFields(text: string): Fields {
  try {
    return fieldsOf(parse(text, { maxAliasCount: 100 }));
  } catch {
    // Whoever wrote it is told by whoever validates it.
    return {};
  }
}

function ofConfigMap(configMaps: readonly ConfigObject[], namespace: string, key: string): Fields {
  const found = configMaps.find(({ metadata }) => metadata.name === 'istio' && metadata.namespace === namespace);
  const text = textOf(fieldsOf(found?.['data'])[key]);
  return text ? parseFields(text) : {};
}

/** Reads the settings that analysis was given, else those of the installation's ConfigMap. */
export function readMeshSettings(
  { meshConfig, meshNetworks, options }: AnalyzeInput,
  configMaps: readonly ConfigObject[],
): MeshSettings {
  const installed = options?.rootNamespace ?? (textOf(meshConfig?.['rootNamespace']) || 'istio-system');
  const config = meshConfig ?? ofConfigMap(configMaps, installed, 'mesh');
  const networks = meshNetworks ?? ofConfigMap(configMaps, installed, 'meshNetworks');
  const proxy = fieldsOf(config['defaultConfig']);
  const lightstep = itemsOf(config['extensionProviders']).filter((provider) => provider['lightstep'] !== undefined);
  const accessLogging = fieldsOf(config['defaultProviders'])['accessLogging'];
  return {
    rootNamespace: options?.rootNamespace ?? (textOf(config['rootNamespace']) || 'istio-system'),
    ingressControllerMode: textOf(config['ingressControllerMode']) || 'STRICT',
    ingressService: textOf(config['ingressService']) || 'istio-ingressgateway',
    imageType: textOf(fieldsOf(proxy['image'])['imageType']),
    proxyMetadata: labelsOf(proxy['proxyMetadata']),
    lightstepProviders: new Set(lightstep.map((provider) => textOf(provider['name']))),
    hasDefaultAccessLogProvider: Array.isArray(accessLogging) && accessLogging.length > 0,
    networks: fieldsOf(networks['networks']),
  };
}
