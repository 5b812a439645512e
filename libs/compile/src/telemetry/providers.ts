import type { ExtensionProvider } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import { mixerProvider } from './mixer-service.js';

/** The provider of a name, which is compared without case, as Istio does. */
export function findProvider(config: MeshConfig, name: string): ExtensionProvider | undefined {
  const wanted = name.toLowerCase();
  return config.extensionProviders.find((provider) => provider.name.toLowerCase() === wanted);
}

/** A service that a provider names, as a proxy reaches it. */
export interface ProviderCluster {
  /** The service's host, which is the authority of calls. */
  readonly host: string;
  readonly cluster: string;
}

/**
 * The services that providers name and a proxy sees, by `providerKey`. Envoy refuses a listener that names a cluster it
 * does not have, so a provider whose service is not among them is left out.
 */
export type ProviderClusters = ReadonlyMap<string, ProviderCluster>;

/** A provider's service and port as they are written: `zipkin.tracing.svc.cluster.local` or `tracing/zipkin…`. */
export interface ProviderService {
  readonly service: string;
  readonly port: number;
}

export function providerKey({ service, port }: ProviderService): string {
  return `${service}:${port}`;
}

function addressed(address: string | undefined): ProviderService | undefined {
  const [, host, port] = /^([^:/]+):(\d{1,5})$/.exec(address ?? '') ?? [];
  return host === undefined ? undefined : { service: host, port: Number(port) };
}

/**
 * The tracer of `defaultConfig.tracing`, which Istio's proxies have from their start: here a provider like any other,
 * so its address must be that of a service of the mesh.
 */
export function settingsTracer({ defaultConfig }: MeshConfig): ExtensionProvider | undefined {
  const zipkin = addressed(defaultConfig.tracing?.zipkin?.address);
  if (zipkin) return { name: 'defaultConfig.tracing.zipkin', zipkin };
  const datadog = addressed(defaultConfig.tracing?.datadog?.address);
  return datadog && { name: 'defaultConfig.tracing.datadog', datadog };
}

/** Every service that some provider of the mesh names, and mixer, which is one without being named. */
export function providerServices(config: MeshConfig): readonly ProviderService[] {
  const tracer = settingsTracer(config);
  const named = [...config.extensionProviders, ...(tracer ? [tracer] : [])].flatMap(
    ({ zipkin, datadog, skywalking, opentelemetry, envoyHttpAls, envoyTcpAls, envoyOtelAls, ...authorization }) =>
      [
        authorization.envoyExtAuthzHttp,
        authorization.envoyExtAuthzGrpc,
        zipkin,
        datadog,
        skywalking,
        opentelemetry,
        opentelemetry?.dynatraceSampler?.httpService,
        envoyHttpAls,
        envoyTcpAls,
        envoyOtelAls,
      ].flatMap((provider) => (provider ? [provider] : [])),
  );
  return [...named, mixerProvider(config)];
}
