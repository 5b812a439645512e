import type { Diagnostic } from '@seine/diagnostics';
import { mixerAdapterKinds, type MixerHandlerSpec, readParams } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import type { AdapterKind } from '../adapters/adapter.js';
import { fullName } from './names.js';
import { Problems } from './problems.js';

/** The adapters that there are, by name and alias. */
export type AdapterCatalog = ReadonlyMap<string, AdapterKind>;

export function adapterCatalog(kinds: readonly AdapterKind[]): AdapterCatalog {
  return new Map(kinds.flatMap((kind) => [kind.name, ...(kind.aliases ?? [])].map((name) => [name, kind] as const)));
}

/**
 * Name of the adapter kind that handlers with a `connection` are of; its parameters are
 * `{ adapter, connection, params }`, as the handler has them.
 */
export const outOfProcessAdapter = 'grpc';

/** Gives attributes of workloads, which mixer knows by itself: its handlers are taken, and nothing is made of them. */
export const kubernetesAdapter = 'kubernetesenv';

/** What is made of an object that is a handler, before it is known what rules hand to it. */
export interface CompiledHandler {
  readonly name: string;
  readonly source: ConfigObject;
  readonly adapter: string;
  /** Undefined where no adapters were given. */
  readonly kind: AdapterKind | undefined;
  readonly params: unknown;
  readonly usable: boolean;
  readonly problems: readonly Diagnostic[];
}

const oldKinds: ReadonlySet<string> = new Set(mixerAdapterKinds);

export function isHandlerObject({ kind }: ConfigObject): boolean {
  return kind === 'handler' || oldKinds.has(kind);
}

interface Written {
  readonly adapter: string;
  /** The field that names the adapter. */
  readonly field: string;
  readonly params: unknown;
  readonly path: string;
}

function read(object: ConfigObject, catalog: AdapterCatalog | undefined): Written {
  if (oldKinds.has(object.kind)) return { adapter: object.kind, field: 'kind', params: object.spec, path: 'spec' };
  const { compiledAdapter, adapter = '', connection, params } = (object.spec ?? {}) as MixerHandlerSpec;
  const path = 'spec.params';
  if (compiledAdapter) return { adapter: compiledAdapter, field: 'spec.compiledAdapter', params, path };
  if (!connection && (catalog?.has(adapter) ?? true)) return { adapter, field: 'spec.adapter', params, path };
  return {
    adapter: connection ? outOfProcessAdapter : adapter,
    field: 'spec.adapter',
    params: { adapter, connection, params: params ?? {} },
    path: 'spec',
  };
}

/** Compiles an object of the kind `handler`, or of an adapter's kind. @param catalog undefined = parameters stay as written */
export const compileHandler = memo(
  'mixer-handler',
  (object: ConfigObject, catalog: AdapterCatalog | undefined): CompiledHandler => {
    const problems = new Problems(object);
    const { adapter, field, params, path } = read(object, catalog);
    const common = { name: fullName(object), source: object };
    if (!catalog || adapter === kubernetesAdapter)
      return { ...common, adapter, kind: undefined, params: params ?? {}, usable: true, problems: [] };
    const kind = catalog.get(adapter);
    if (!kind) {
      problems.error(field, `mixer has no adapter ${JSON.stringify(adapter)}`);
      return { ...common, adapter, kind, params: {}, usable: false, problems: problems.found };
    }
    const ready = paramsOf(kind, params ?? {}, path, problems);
    const usable = !problems.found.some(({ severity }) => severity === 'error');
    return { ...common, adapter: kind.name, kind, params: ready, usable, problems: problems.found };
  },
);

/** The parameters as the adapter's schema has them, with defaults. What a user's own adapter throws is its own problem. */
function paramsOf(kind: AdapterKind, written: unknown, path: string, problems: Problems): unknown {
  try {
    return checkedParams(kind, written, path, problems);
  } catch (error) {
    problems.error(
      path,
      `${kind.name} cannot read its parameters: ${error instanceof Error ? error.message : String(error)}`,
    );
    return written;
  }
}

function checkedParams(kind: AdapterKind, written: unknown, path: string, problems: Problems): unknown {
  const { params, diagnostics } = readParams(kind.params, written);
  // A misspelt parameter would let in whom it was written to keep out, so it is an error like the others.
  for (const { path: at = '', message } of diagnostics)
    problems.error(join(path, at), message.replace(', so it has no effect', ''));
  if (params === undefined || problems.found.length > 0) return written;
  for (const { path: at, message } of kind.problems?.(params) ?? []) problems.error(join(path, at), message);
  return params;
}

function join(path: string, below: string): string {
  return below === '' ? path : below.startsWith('[') ? `${path}${below}` : `${path}.${below}`;
}
