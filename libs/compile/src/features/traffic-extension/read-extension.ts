import type { TrafficExtension, TrafficSelector, WasmPlugin, WasmSettings } from '@seine/istio';

/** Where among the other filters an extension runs; `UNSPECIFIED` is behind all of them. */
export type ExtensionPhase = 'AUTHN' | 'AUTHZ' | 'STATS' | 'UNSPECIFIED';

/** A WasmPlugin and a TrafficExtension seen alike. */
export interface Extension {
  /** What its filter is called, as in Istio. */
  readonly filterName: string;
  /** `namespace.name` */
  readonly pluginName: string;
  readonly phase: ExtensionPhase;
  /** Higher ones run first; those without one last. */
  readonly priority: number;
  readonly level: 'http' | 'network';
  readonly match: readonly TrafficSelector[];
  /** Exactly one of the two is there. */
  readonly wasm?: WasmSettings | undefined;
  readonly lua?: string | undefined;
}

export function readExtension(resource: WasmPlugin | TrafficExtension): Extension {
  const { kind, metadata, spec } = resource;
  const wasm = kind === 'WasmPlugin' ? spec : spec.wasm;
  const phase = spec.phase ?? 'UNSPECIFIED';
  const pluginName = `${metadata.namespace}.${metadata.name}`;
  return {
    filterName: `extensions.istio.io/${kind.toLowerCase()}/${pluginName}`,
    pluginName,
    phase: phase === 'UNSPECIFIED_PHASE' ? 'UNSPECIFIED' : phase,
    priority: spec.priority ?? -Infinity,
    level: wasm?.type === 'NETWORK' ? 'network' : 'http',
    match: spec.match ?? [],
    wasm,
    lua: kind === 'TrafficExtension' ? spec.lua?.inlineCode : undefined,
  };
}
