import type { MeshConfig } from '@seine/model';
import type { InjectionPolicy } from './decide-injection.js';
import type { CaptureDefaults } from './traffic-capture.js';

/** Kubernetes' form of a container's resources. */
export interface Resources {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

/** All that injected proxies have in common: Helm's values under the names that Istio's users know. */
export interface InjectionSettings extends InjectionPolicy {
  readonly meshConfig: MeshConfig;
  /** `global.proxy.image`: Envoy as its makers publish it. */
  readonly proxyImage: string;
  /** Has `iptables-restore`; runs before the pod, unless a CNI plug-in does its work. */
  readonly captureImage: string;
  readonly imagePullPolicy?: string | undefined;
  readonly imagePullSecrets: readonly string[];
  readonly resources: Resources;
  /** `host:port` of pilot. */
  readonly discoveryAddress: string;
  /** Account of pilot in the root namespace. */
  readonly pilotAccount: string;
  /** Name of the CSI driver by which the node's agent gives a pod its socket. */
  readonly csiDriver: string;
  readonly clusterId: string;
  readonly network?: string | undefined;
  /** Whether a CNI plug-in redirects traffic, so that no container needs NET_ADMIN. */
  readonly cni: boolean;
  /** Whether the cluster runs init containers that go on (Kubernetes 1.29 and later), and proxies are such. */
  readonly nativeSidecars: boolean;
  readonly rewriteAppHTTPProbe: boolean;
  /** Whether the application's metrics are served with the proxy's. */
  readonly enablePrometheusMerge: boolean;
  readonly statusPort: number;
  readonly logLevel: string;
  readonly componentLogLevel: string;
  readonly capture: CaptureDefaults;
  /** Whether the application's DNS goes to the proxy. */
  readonly dnsCapture: boolean;
}

/** Istio's defaults. */
export const defaultInjection: Omit<InjectionSettings, 'meshConfig' | 'proxyImage' | 'captureImage'> = {
  revision: 'default',
  isDefaultRevision: true,
  enableNamespacesByDefault: false,
  policy: 'enabled',
  neverInjectSelector: [],
  alwaysInjectSelector: [],
  rootNamespace: 'istio-system',
  imagePullSecrets: [],
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2000m', memory: '1024Mi' } },
  discoveryAddress: 'pilot.istio-system.svc:15012',
  pilotAccount: 'pilot',
  csiDriver: 'agent.seine.dev',
  clusterId: 'Kubernetes',
  cni: false,
  nativeSidecars: true,
  rewriteAppHTTPProbe: true,
  enablePrometheusMerge: true,
  statusPort: 15_020,
  logLevel: 'warning',
  componentLogLevel: 'misc:error',
  capture: {
    mode: 'REDIRECT',
    includeInboundPorts: '*',
    excludeInboundPorts: '',
    includeOutboundPorts: '',
    excludeOutboundPorts: '',
    includeIPRanges: '*',
    excludeIPRanges: '',
  },
  dnsCapture: false,
};
