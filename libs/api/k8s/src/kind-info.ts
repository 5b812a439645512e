import type { Diagnostic } from '@seine/diagnostics';
import type { JsonSchema } from './json-schema.js';
import type { ConfigObject } from './object.js';

export interface KindVersion {
  readonly name: string;
  readonly served: boolean;
  /** The one version that an API server stores objects in. */
  readonly storage: boolean;
}

/** A column of `kubectl get` (CustomResourceDefinition, additionalPrinterColumns). */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
}

/** What is known of a kind of config object. */
export interface KindInfo {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** The preferred one first. */
  readonly versions: readonly KindVersion[];
  readonly namespaced: boolean;
  /** Of the fields beside apiVersion, kind, metadata and status; undefined where nothing is checked. */
  readonly schema?: JsonSchema | undefined;
  /** Whether the mesh follows objects of the kind; others are known, and perhaps checked, but have no effect. */
  readonly actedOn: boolean;
  readonly printerColumns?: readonly PrinterColumn[] | undefined;
  /** What a schema cannot say; called with objects that satisfy the schema. */
  readonly validateSpec?: ((object: ConfigObject) => readonly Diagnostic[]) | undefined;
}
