import type {
  ApplyResponse,
  ApplyResult,
  DeleteResponse,
  DiagnosticMessage,
  GetResponse,
  ListDiagnosticsResponse,
  ListResponse,
  ObjectIdMessage,
  StoredObjectMessage,
} from '@seine/api';
import type { Diagnostic, Severity } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import type { GrpcCalls } from './grpc-calls.js';

/** Names one object. An empty namespace: the kind is cluster-scoped; an empty group: the core group. */
export type ObjectId = ObjectIdMessage;

/** What became of one object that was applied or deleted. */
export interface ObjectChange {
  readonly id: ObjectId | undefined;
  readonly outcome: ApplyResult['result'] | 'deleted' | 'restored' | 'in_file' | 'not_found';
  /** Who hides whom, or is in force again. */
  readonly note: string;
}

export interface ChangeResult {
  /** The revision of the mesh log in which the changes are in force. */
  readonly revision: number;
  readonly changes: readonly ObjectChange[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface StoredObject {
  readonly object: ConfigObject;
  /** `applied`, `file:/path.yaml`, `kubernetes`. */
  readonly origin: string;
  /** Other origins of the same object, which do not count now. */
  readonly shadowed: readonly string[];
}

export interface ObjectQuery {
  readonly group: string;
  readonly kind: string;
  /** Empty: all namespaces. */
  readonly namespace: string;
}

/** The registry's config API in the terms of the commands. */
export class ConfigApi {
  constructor(private readonly calls: GrpcCalls) {}

  async apply(objects: readonly ConfigObject[], dryRun: boolean): Promise<ChangeResult> {
    const request = { objects: objects.map((object) => JSON.stringify(object)), dryRun };
    const { revision, results } = await this.calls.call<ApplyResponse>('Apply', request);
    return {
      revision,
      changes: results.map(({ id, result, note }) => ({ id: id ?? undefined, outcome: result, note })),
      diagnostics: results.flatMap((result) => result.diagnostics.map(readDiagnostic)),
    };
  }

  async delete(objects: readonly ObjectId[]): Promise<ChangeResult> {
    const { revision, results } = await this.calls.call<DeleteResponse>('Delete', { objects });
    const changes = results.map(({ id, result, note }) => ({ id, outcome: result, note }));
    return { revision, changes, diagnostics: [] };
  }

  /** In order of namespace and name. */
  async list({ group, kind, namespace }: ObjectQuery): Promise<StoredObject[]> {
    const { objects } = await this.calls.call<ListResponse>('List', { kind, namespace });
    // Two groups may have a kind of one name (Gateway).
    return objects.filter(({ id }) => id.group === group && id.kind === kind).map(readStored);
  }

  /** Objects of all kinds, in order of kind, namespace and name. */
  async listAll(): Promise<StoredObject[]> {
    const { objects } = await this.calls.call<ListResponse>('List', { kind: '', namespace: '' });
    return objects.map(readStored);
  }

  /** All that the registry finds wrong with the config in force. */
  async diagnostics(): Promise<readonly Diagnostic[]> {
    const { diagnostics } = await this.calls.call<ListDiagnosticsResponse>('ListDiagnostics', {});
    return diagnostics.map(readDiagnostic);
  }

  async get(id: ObjectId): Promise<StoredObject | undefined> {
    const { object } = await this.calls.call<GetResponse>('Get', { id });
    return object ? readStored(object) : undefined;
  }

  close(): void {
    this.calls.close();
  }
}

function readStored({ json, origin, shadowed }: StoredObjectMessage): StoredObject {
  return { object: JSON.parse(json) as ConfigObject, origin, shadowed };
}

function readDiagnostic(d: DiagnosticMessage): Diagnostic {
  const { object, position } = d;
  return {
    severity: d.severity as Severity,
    code: d.code,
    message: d.message,
    object: object ? { kind: object.kind, namespace: object.namespace || undefined, name: object.name } : undefined,
    path: d.path || undefined,
    position: position ? { file: position.file, line: position.line, column: position.column || undefined } : undefined,
  };
}
