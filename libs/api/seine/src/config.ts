/** The messages of `seine.config.v1` as `@grpc/proto-loader` gives them with `configApiLoaderOptions`. */

/** The gRPC package of the config API. */
export const configApiPackage = 'seine.config.v1';

/** Where the config API's proto file is; the same from the sources and from the build. */
export const configApiProto: URL = new URL('../proto/seine/config/v1/config.proto', import.meta.url);

/** How both ends load the proto file, so that these types hold: camelCase names, numbers for uint64, defaults filled in. */
export const configApiLoaderOptions = Object.freeze({
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
});

export interface ObjectIdMessage {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface StoredObjectMessage {
  readonly id: ObjectIdMessage;
  readonly json: string;
  readonly origin: string;
  readonly shadowed: readonly string[];
}

export interface PositionMessage {
  readonly file: string;
  readonly line: number;
  /** 0 = unknown. */
  readonly column: number;
}

/** Empty texts where a field does not apply. */
export interface DiagnosticMessage {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly object: ObjectIdMessage | null;
  readonly path: string;
  readonly position: PositionMessage | null;
}

export interface ApplyRequest {
  readonly objects: readonly string[];
  readonly dryRun: boolean;
}

export type ApplyOutcome = 'created' | 'configured' | 'unchanged' | 'rejected';

export interface ApplyResult {
  /** Null where the object is too broken to have a name. */
  readonly id: ObjectIdMessage | null;
  readonly result: ApplyOutcome;
  readonly note: string;
  readonly diagnostics: readonly DiagnosticMessage[];
}

export interface ApplyResponse {
  readonly revision: number;
  readonly results: readonly ApplyResult[];
}

export interface DeleteRequest {
  readonly objects: readonly ObjectIdMessage[];
}

export type DeleteOutcome = 'deleted' | 'restored' | 'in_file' | 'not_found';

export interface DeleteResult {
  readonly id: ObjectIdMessage;
  readonly result: DeleteOutcome;
  readonly note: string;
}

export interface DeleteResponse {
  readonly revision: number;
  readonly results: readonly DeleteResult[];
}

export interface GetRequest {
  readonly id: ObjectIdMessage | null;
}

export interface GetResponse {
  readonly object: StoredObjectMessage | null;
}

export interface ListRequest {
  readonly kind: string;
  readonly namespace: string;
}

export interface ListResponse {
  readonly objects: readonly StoredObjectMessage[];
  readonly revision: number;
}

export type WatchRequest = ListRequest;

export interface WatchResponse {
  readonly revision: number;
  readonly put: readonly StoredObjectMessage[];
  readonly deleted: readonly ObjectIdMessage[];
  readonly snapshot: boolean;
}

export interface ListDiagnosticsResponse {
  readonly diagnostics: readonly DiagnosticMessage[];
}
