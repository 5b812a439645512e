/** YAML of Kubernetes objects for tests, as a user would write it. */

export interface ServiceYaml {
  readonly name: string;
  readonly namespace?: string;
  /** Name, number, and where it is not the number, the target port. */
  readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort?: number | string }[];
  readonly selector?: Readonly<Record<string, string>>;
}

const flow = (value: unknown) => JSON.stringify(value);

export function serviceYaml({ name, namespace = 'default', ports, selector }: ServiceYaml): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  selector: ${flow(selector ?? { app: name })}
  ports: ${flow(ports ?? [{ name: 'http', port: 8080 }])}
`;
}

export interface PodYaml {
  readonly name: string;
  readonly namespace?: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Default the pod's name. */
  readonly serviceAccount?: string;
}

export function podYaml(pod: PodYaml): string {
  const { name, namespace = 'default', address, labels, ports, annotations = {}, serviceAccount = name } = pod;
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: ${flow(labels)}, annotations: ${flow(annotations)} }
spec:
  serviceAccountName: ${serviceAccount}
  containers: [{ name: app, ports: ${flow(ports ?? [{ name: 'http', containerPort: 8080 }])} }]
status: { phase: Running, podIP: ${address} }
`;
}

/** A Secret with these values, as they are. */
export function secretYaml(
  name: string,
  values: Readonly<Record<string, string | Buffer>>,
  namespace = 'istio-system',
  type = 'kubernetes.io/tls',
): string {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return `apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: ${namespace} }
type: ${type}
data: ${flow(Object.fromEntries(data))}
`;
}

/** Joins documents to one file. */
export function documents(...parts: readonly string[]): string {
  return parts.join('---\n');
}

/** An object of networking.istio.io/v1; JSON is YAML. */
export function istioYaml(kind: string, name: string, spec: unknown, namespace = 'default'): string {
  return `apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${flow(spec)}
`;
}

/** A DestinationRule with a subset a version label. */
export function subsetsYaml(host: string, versions: readonly string[], trafficPolicy?: unknown): string {
  const subsets = versions.map((version) => ({ name: version, labels: { version } }));
  return istioYaml('DestinationRule', host, { host, subsets, ...(trafficPolicy !== undefined && { trafficPolicy }) });
}

/** A VirtualService of one host with these HTTP routes. */
export function httpRoutesYaml(
  host: string,
  http: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  return istioYaml('VirtualService', host, { hosts: [host], http, ...more });
}

/** `{destination: {host, subset}}`, with a weight where there is one. */
export function to(host: string, subset?: string, weight?: number): Record<string, unknown> {
  return { destination: { host, ...(subset && { subset }) }, ...(weight !== undefined && { weight }) };
}
