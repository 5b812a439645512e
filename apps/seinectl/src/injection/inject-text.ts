import {
  defaultInjection,
  injectObject,
  type InjectedObject,
  type InjectionSettings,
  type Manifest,
} from '@seine/inject';
import { fieldsOf, labelsOf, textOf } from '@seine/k8s';
import type { MeshConfig } from '@seine/model';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';

/** Something to tell the user, with its place. */
export interface InjectionNote {
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

export interface InjectedText {
  /** The manifest with its proxies; what has no pods stands there as it was written. */
  readonly text: string;
  readonly notes: readonly InjectionNote[];
}

export interface InjectionSource {
  readonly file: string;
  readonly text: string;
  /** Where objects go that name no namespace. */
  readonly namespace: string;
}

/** What the command line says of the cluster. */
export interface InjectionFlags {
  readonly proxyImage: string;
  readonly captureImage: string;
  readonly discoveryAddress?: string;
  readonly revision: string;
  readonly cni: boolean;
  readonly nativeSidecars: boolean;
}

export function injectionSettings(flags: InjectionFlags, meshConfig: MeshConfig): InjectionSettings {
  const { proxyImage, captureImage, discoveryAddress, revision, cni, nativeSidecars } = flags;
  return {
    ...defaultInjection,
    ...{ proxyImage, captureImage, revision, cni, nativeSidecars, meshConfig },
    ...(discoveryAddress !== undefined && { discoveryAddress }),
  };
}

/**
 * Injects all pods of a manifest. Who injects by hand wants it, so namespaces need no label; one that says `disabled`,
 * in the same manifest, is left alone.
 */
export function injectText({ file, text, namespace }: InjectionSource, settings: InjectionSettings): InjectedText {
  const lines = new LineCounter();
  // An empty stream has no documents, but a marker.
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const documents = Array.isArray(parsed) ? parsed : [];
  const labels = namespaceLabels(documents);
  const namespaces = { fallback: namespace, labelsOf: (name: string) => labels.get(name) ?? enabled };
  const notes: InjectionNote[] = [];
  const texts = documents.map((document) => {
    const { line } = lines.linePos(document.contents?.range[0] ?? 0);
    const at = `${file}:${line}`;
    const [error] = document.errors;
    if (error) {
      notes.push({ severity: 'error', message: `${file}:${error.linePos?.[0].line ?? line}: ${error.message}` });
      return '';
    }
    return injectDocument(document, at, (manifest) => injectObject(manifest, namespaces, settings), notes);
  });
  return { text: texts.map((one) => one.trimEnd() + '\n').join('---\n'), notes };
}

const enabled = { 'istio-injection': 'enabled' };

function namespaceLabels(documents: readonly Document[]): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const found = documents.map((document) => fieldsOf(document.toJS())).filter(({ kind }) => kind === 'Namespace');
  return new Map(
    found.map(({ metadata }) => {
      const { name, labels } = fieldsOf(metadata);
      const said = labelsOf(labels);
      return [textOf(name), 'istio-injection' in said || 'istio.io/rev' in said ? said : enabled];
    }),
  );
}

function injectDocument(
  document: Document,
  at: string,
  inject: (manifest: Manifest) => InjectedObject,
  notes: InjectionNote[],
): string {
  const manifest = fieldsOf(document.toJS()) as Manifest;
  const items = isList(manifest) ? (manifest['items'] as readonly unknown[]) : undefined;
  const outcomes = (items ?? [manifest]).map((item) => inject(fieldsOf(item)));
  for (const outcome of outcomes) notes.push(...notesOf(outcome, at));
  if (!outcomes.some(({ injected }) => injected)) return document.toString();
  const [first] = outcomes;
  const objects = outcomes.map(({ object }) => object);
  const changed = items ? { ...manifest, items: objects } : first?.object;
  return new (document.constructor as new (value: unknown) => Document)(changed).toString({ lineWidth: 0 });
}

function isList(manifest: Manifest): boolean {
  return textOf(manifest.kind).endsWith('List') && Array.isArray(manifest['items']);
}

function notesOf(
  { object, injected, reason, problems, warnings }: InjectedObject,
  at: string,
): readonly InjectionNote[] {
  const name = `${at}: ${textOf(object.kind)} ${textOf(fieldsOf(object.metadata)['name'])}`;
  return [
    ...problems.map(({ annotation, message }) => ({
      severity: 'error' as const,
      message: `${name}: annotation ${annotation}: ${message}`,
    })),
    ...warnings.map((message) => ({ severity: 'warning' as const, message: `${name}: ${message}` })),
    ...(injected === false && problems.length === 0
      ? [{ severity: 'info' as const, message: `${name} gets no proxy: ${reason}` }]
      : []),
  ];
}
