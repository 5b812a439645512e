import type { ObjectRef, SourcePosition } from '@seine/diagnostics';
import type { ConfigObject, Fields } from '@seine/k8s';
import type { MessageCode, MessageName, ParametersOf } from '../messages/message-types.js';
import type { Level } from '../messages/message-type.js';
import type { Catalogue } from './catalogue.js';

export interface AnalyzeOptions {
  /** Only what an object shows by itself: nothing about what it refers to, or how objects go together. */
  readonly schemaOnly?: boolean | undefined;
  readonly clusterDomain?: string | undefined;
  readonly rootNamespace?: string | undefined;
  /** `IST0107`, or `IST0107=Deployment fortio.default` with `*` for any text, as `istioctl analyze -S` takes it. */
  readonly suppress?: readonly string[] | undefined;
  /** Names of the analyzers to run, as `istioctl analyze -L` lists them; default all. */
  readonly only?: readonly string[] | undefined;
  /** Findings about objects of this namespace only, and about those outside namespaces. */
  readonly namespace?: string | undefined;
  /**
   * Whether an ingress gateway (`istio: ingressgateway`, ports 80, 443, 31400, 15443) is taken to run although no object
   * says so, as an installation brings one. Right for files; wrong where `objects` is all there is. Default true.
   */
  readonly assumeIngressGateway?: boolean | undefined;
  /** Milliseconds since 1970, for whether certificates are in date; without, that is not judged. */
  readonly now?: number | undefined;
}

export interface AnalyzeInput {
  /** As parsed; those that break their schema too, else what refers to them would seem to lack them. */
  readonly objects: readonly ConfigObject[];
  /** MeshConfig as its YAML reads; default: what a ConfigMap `istio` of the root namespace among the objects says. */
  readonly meshConfig?: Fields | undefined;
  /** MeshNetworks as its YAML reads; default as for meshConfig. */
  readonly meshNetworks?: Fields | undefined;
  /** Objects of other clusters of the mesh, by the name of the cluster. */
  readonly remoteClusters?: ReadonlyMap<string, readonly ConfigObject[]> | undefined;
  /** Where a field of an object is written, so that findings can say. */
  readonly locate?: ((object: ConfigObject, path?: string) => SourcePosition | undefined) | undefined;
  readonly options?: AnalyzeOptions | undefined;
}

/** Something that analysis found. */
export interface Finding {
  readonly code: MessageCode;
  readonly name: MessageName;
  readonly level: Level;
  readonly message: string;
  /** `Kind/namespace/name`; without namespace where the kind has none. */
  readonly resource: string;
  readonly object: ObjectRef;
  readonly file?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
  /** Field path in the object: `spec.http[0].route[1].destination.host`. */
  readonly path?: string | undefined;
  readonly documentationUrl: string;
}

export type Report = <N extends MessageName>(
  name: N,
  object: ConfigObject,
  parameters: ParametersOf<N>,
  path?: string,
) => void;

/** One check, or several that go together, under the name that istioctl has for it. */
export interface Analyzer {
  readonly name: string;
  readonly description: string;
  /** `object`: judges each object by itself. `mesh`: judges references, and how objects go together. */
  readonly scope: 'object' | 'mesh';
  readonly analyze: (catalogue: Catalogue, report: Report) => void;
}
