import { configApiLoaderOptions } from './config.js';

/** The messages of `seine.mixer.v1` as `@grpc/proto-loader` gives them with `mixerAdapterLoaderOptions`. */

/** Full name of the service. */
export const mixerAdapterService = 'seine.mixer.v1.Adapter';

/** Where the proto file is; the same from the sources and from the build. */
export const mixerAdapterProto: URL = new URL('../proto/seine/mixer/v1/adapter.proto', import.meta.url);

/** As the config API is loaded. */
export const mixerAdapterLoaderOptions = configApiLoaderOptions;

export interface AdapterHandlerMessage {
  readonly name: string;
  readonly adapter: string;
  readonly paramsJson: string;
}

export interface AdapterInstanceMessage {
  readonly name: string;
  readonly template: string;
  readonly fieldsJson: string;
}

export interface AdapterCheckRequest {
  readonly handler: AdapterHandlerMessage;
  readonly instance: AdapterInstanceMessage;
}

export interface AdapterCheckResponse {
  readonly code: number;
  readonly message: string;
  readonly validMs: number;
  readonly validUses: number;
  readonly output: Readonly<Record<string, string>>;
}

export interface AdapterQuotaRequest extends AdapterCheckRequest {
  readonly amount: number;
  readonly bestEffort: boolean;
}

export interface AdapterQuotaResponse {
  readonly granted: number;
  readonly validMs: number;
}

export interface AdapterReportRequest {
  readonly handler: AdapterHandlerMessage;
  readonly instances: readonly AdapterInstanceMessage[];
}
