/** A pod as the API server hands it over: what injection reads is typed, the rest is passed on as it is. */
interface Open {
  readonly [field: string]: unknown;
}

export interface EnvVar extends Open {
  readonly name: string;
  readonly value?: string;
}

export interface ContainerPort extends Open {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

export interface HttpGet extends Open {
  readonly path?: string;
  readonly host?: string;
  readonly port: number | string;
  readonly scheme?: string;
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
}

/** A probe or a lifecycle hook: what it does, and when. */
export interface Probe extends Open {
  readonly httpGet?: HttpGet;
  readonly tcpSocket?: Open & { readonly port: number | string; readonly host?: string };
  readonly grpc?: Open & { readonly port: number; readonly service?: string };
  readonly timeoutSeconds?: number;
}

export interface Container extends Open {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly ContainerPort[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: Open & { readonly postStart?: Probe; readonly preStop?: Probe };
  readonly restartPolicy?: string;
  readonly securityContext?: Open;
}

export interface Named extends Open {
  readonly name: string;
}

export interface PodSpec extends Open {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Named[];
  readonly imagePullSecrets?: readonly Named[];
  readonly hostNetwork?: boolean;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly serviceAccountName?: string;
  readonly securityContext?: Open;
}

export interface PodMetadata extends Open {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly (Open & {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly controller?: boolean;
  })[];
}

export interface Pod extends Open {
  readonly metadata: PodMetadata;
  readonly spec: PodSpec;
}

/** Names that injection gives, Istio's. */
export const proxyContainer = 'istio-proxy';
export const captureContainer = 'istio-init';

export const annotation = {
  inject: 'sidecar.istio.io/inject',
  status: 'sidecar.istio.io/status',
  overrides: 'proxy.istio.io/overrides',
  templates: 'inject.istio.io/templates',
  revision: 'istio.io/rev',
  proxyConfig: 'proxy.istio.io/config',
  rewriteProbes: 'sidecar.istio.io/rewriteAppHTTPProbers',
  defaultContainer: 'kubectl.kubernetes.io/default-container',
  defaultLogsContainer: 'kubectl.kubernetes.io/default-logs-container',
} as const;

export const annotationsOf = ({ metadata }: Pod): Readonly<Record<string, string>> => metadata.annotations ?? {};
export const labelsOf = ({ metadata }: Pod): Readonly<Record<string, string>> => metadata.labels ?? {};

/** An object without some of its fields. */
export function without<T extends object, K extends keyof T>(object: T, ...fields: readonly K[]): Omit<T, K> {
  const left = Object.entries(object).filter(([field]) => !fields.includes(field as K));
  return Object.fromEntries(left) as Omit<T, K>;
}

/** A field with a list, or no field where it is empty. */
export function filled<T>(field: string, list: readonly T[]): Readonly<Record<string, readonly T[]>> {
  return list.length === 0 ? {} : { [field]: list };
}
