import type { ProxyConfig, ProxySettings } from '@seine/istio';
import { labelsMatch, type MeshConfig } from '@seine/model';

/** For whom settings are looked up. */
export interface ProxyConfigTarget {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the annotation `proxy.istio.io/config` of its pod says. */
  readonly annotation?: ProxySettings | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Field by field, also inside; lists are replaced. */
function merged(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  if (!isFields(under) || !isFields(over)) return over;
  const keys = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(under[key], over[key])]));
}

/** A ProxyConfig resource in the words of MeshConfig. */
function settingsOf(resource: ProxyConfig | undefined): ProxySettings {
  const { concurrency, environmentVariables: proxyMetadata, image } = resource?.spec ?? {};
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(proxyMetadata && { proxyMetadata }),
    ...(image && { image }),
  };
}

const isForAll = ({ spec }: ProxyConfig): boolean => Object.keys(spec.selector?.matchLabels ?? {}).length === 0;

/**
 * The settings of one proxy: the mesh's `defaultConfig`, over it the ProxyConfig of the root namespace, that of the
 * proxy's namespace, its pod's annotation, and the ProxyConfig whose `selector` is for it (Istio: EffectiveProxyConfig).
 * Of several of one sort the oldest counts.
 * @param resources every ProxyConfig, oldest first
 */
export function effectiveProxySettings(
  resources: readonly ProxyConfig[],
  { namespace, labels, annotation }: ProxyConfigTarget,
  { rootNamespace, defaultConfig }: Pick<MeshConfig, 'rootNamespace' | 'defaultConfig'>,
): ProxySettings {
  const inNamespace = (wanted: string) => resources.filter(({ metadata }) => metadata.namespace === wanted);
  const ownOnes = inNamespace(namespace);
  const selecting = ownOnes.find(
    (resource) => !isForAll(resource) && labelsMatch(resource.spec.selector?.matchLabels, labels),
  );
  const layers = [
    settingsOf(inNamespace(rootNamespace).find(isForAll)),
    ...(namespace === rootNamespace ? [] : [settingsOf(ownOnes.find(isForAll))]),
    annotation ?? {},
    settingsOf(selecting),
  ];
  return layers.reduce<ProxySettings>((under, over) => merged(under, over) as ProxySettings, defaultConfig);
}
