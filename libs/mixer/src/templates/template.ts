import type { Value, ValueType } from '../attributes/value-type.js';

type Values = ReadonlyMap<string, Value>;

/** What every instance has. Fields that an instance does not set have the zero of their type: '', 0, an empty map. */
interface Made {
  /** Full name of the instance that it was made from, `accesslog.logentry.istio-system`. */
  readonly instance: string;
}

/**
 * What instances hand to adapters, by template: Istio 1.4's templates under its own field names, times in milliseconds
 * (since 1970, or long).
 */
export interface Templates {
  readonly checknothing: Made;
  readonly reportnothing: Made;
  readonly listentry: Made & { readonly value: string };
  readonly quota: Made & { readonly dimensions: Values };
  readonly authorization: Made & {
    readonly subject: { readonly user: string; readonly groups: string; readonly properties: Values };
    readonly action: {
      readonly namespace: string;
      readonly service: string;
      readonly method: string;
      readonly path: string;
      readonly properties: Values;
    };
  };
  readonly apikey: Made & {
    readonly api: string;
    readonly apiVersion: string;
    readonly apiOperation: string;
    readonly apiKey: string;
    readonly timestamp: number;
  };
  readonly logentry: Made & {
    readonly severity: string;
    readonly timestamp: number;
    readonly variables: Values;
    readonly monitoredResourceType: string;
    readonly monitoredResourceDimensions: Values;
  };
  readonly metric: Made & {
    readonly value: Value;
    readonly dimensions: Values;
    readonly monitoredResourceType: string;
    readonly monitoredResourceDimensions: Values;
  };
  readonly tracespan: Made & {
    readonly traceId: string;
    readonly spanId: string;
    readonly parentSpanId: string;
    readonly spanName: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly spanTags: Values;
    readonly httpStatusCode: number;
    readonly clientSpan: boolean;
    readonly rewriteClientSpanId: boolean;
    readonly sourceName: string;
    readonly sourceIp: string;
    readonly destinationName: string;
    readonly destinationIp: string;
    readonly requestSize: number;
    readonly requestTotalSize: number;
    readonly responseSize: number;
    readonly responseTotalSize: number;
    readonly apiProtocol: string;
  };
  readonly edge: Made & {
    readonly timestamp: number;
    readonly sourceUid: string;
    readonly sourceOwner: string;
    readonly sourceWorkloadName: string;
    readonly sourceWorkloadNamespace: string;
    readonly destinationUid: string;
    readonly destinationOwner: string;
    readonly destinationWorkloadName: string;
    readonly destinationWorkloadNamespace: string;
    readonly destinationServiceName: string;
    readonly destinationServiceNamespace: string;
    readonly contextProtocol: string;
    readonly apiProtocol: string;
  };
}

export type TemplateName = keyof Templates;
/** Answered before a request goes on. */
export type CheckTemplate = 'checknothing' | 'listentry' | 'authorization' | 'apikey';
/** Told afterwards. */
export type ReportTemplate = 'reportnothing' | 'logentry' | 'metric' | 'tracespan' | 'edge';

/** Types of what an instance's maps hold (`variables`, `dimensions`, …) and of `value`, as its expressions have them. */
export interface InstanceTypes {
  readonly template: TemplateName;
  readonly value?: ValueType;
  /** By the map's field, then by key: `types.maps.variables.get('latency')`. */
  readonly maps: Readonly<Partial<Record<string, ReadonlyMap<string, ValueType>>>>;
}
