import type { InjectionSettings, Resources } from './injection-settings.js';
import { type Container, type EnvVar, proxyContainer } from './pod.js';
import { proxyBootstrap, type ProxyPlan, proxyVariables, readyPort, socketFolder } from './proxy-bootstrap.js';

/** What a pod may ask of its proxy. */
export interface ProxyWishes {
  readonly image?: string | undefined;
  readonly resources: Resources;
  readonly logLevel: string;
  readonly componentLogLevel: string;
  readonly holdApplication: boolean;
  /** Whether it is an init container that goes on. */
  readonly isNative: boolean;
  /** How long connections have to end when the pod ends, seconds. */
  readonly drainSeconds: number;
  readonly readiness: {
    readonly initialDelaySeconds: number;
    readonly periodSeconds: number;
    readonly failureThreshold: number;
  };
  readonly userVolumeMounts: readonly Readonly<Record<string, unknown>>[];
  /** Variables of injection’s own, for the next time. */
  readonly notes: readonly EnvVar[];
}

const proxyId = 1337;

const fromPod = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** Envoy as its makers publish it, and nothing beside it. */
export function makeProxyContainer(plan: ProxyPlan, wishes: ProxyWishes, settings: InjectionSettings): Container {
  const { image = settings.proxyImage, resources, isNative, holdApplication } = wishes;
  const variables = Object.entries(proxyVariables(plan, settings)).map(([name, value]) => ({
    name,
    value: value.replaceAll('$', '$$$$'),
  }));
  const lifecycle = {
    ...(holdApplication && !isNative && { postStart: bash(untilReady) }),
    preStop: bash(drain(wishes.drainSeconds)),
  };
  return {
    name: proxyContainer,
    image,
    ...(settings.imagePullPolicy !== undefined && { imagePullPolicy: settings.imagePullPolicy }),
    ...(isNative && { restartPolicy: 'Always' }),
    command: ['envoy'],
    args: argumentsOf(plan, wishes, settings),
    env: [
      fromPod('POD_NAME', 'metadata.name'),
      fromPod('POD_NAMESPACE', 'metadata.namespace'),
      fromPod('INSTANCE_IP', 'status.podIP'),
      fromPod('HOST_IP', 'status.hostIP'),
      fromPod('NODE_NAME', 'spec.nodeName'),
      ...variables,
      ...wishes.notes,
    ],
    ports: [{ name: 'http-envoy-prom', containerPort: 15_090, protocol: 'TCP' }],
    lifecycle,
    readinessProbe: { ...ready, ...wishes.readiness, timeoutSeconds: 3 },
    ...((isNative || holdApplication) && {
      startupProbe: { ...ready, failureThreshold: 600, periodSeconds: 1, timeoutSeconds: 3 },
    }),
    resources,
    securityContext: restricted,
    volumeMounts: [
      { name: 'workload-socket', mountPath: socketFolder },
      { name: 'istio-token', mountPath: '/var/run/secrets/tokens' },
      ...wishes.userVolumeMounts,
    ],
  };
}

function argumentsOf(plan: ProxyPlan, wishes: ProxyWishes, settings: InjectionSettings): readonly string[] {
  const { concurrency } = plan.proxySettings;
  return [
    ...['--config-yaml', proxyBootstrap(plan, settings)],
    ...['--log-level', wishes.logLevel, '--component-log-level', wishes.componentLogLevel],
    ...['--drain-time-s', String(wishes.drainSeconds), '--disable-hot-restart'],
    // 0 is a worker for each core, which is what Envoy does by itself.
    ...(concurrency ? ['--concurrency', String(concurrency)] : []),
  ];
}

const ready = { httpGet: { path: '/healthz/ready', port: readyPort } };

const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: proxyId,
  runAsGroup: proxyId,
  seccompProfile: { type: 'RuntimeDefault' },
};

const bash = (script: string) => ({ exec: { command: ['bash', '-c', script] } });

/** Envoy's image has bash, and no program that speaks HTTP. */
const ask = (port: number, request: string): string =>
  `exec 3<>/dev/tcp/127.0.0.1/${port} && printf '${request} HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n' >&3`;

const untilReady = `until ( ${ask(readyPort, 'GET /healthz/ready')} && read -r _ status _ <&3 && [ "$status" = 200 ] ) 2>/dev/null; do sleep 0.2; done`;

/** New connections are no longer taken, kept ones are asked to end, and those under way have their time. */
function drain(seconds: number): string {
  return `( ${ask(15_000, 'POST /drain_listeners?graceful')} && cat <&3 ) >/dev/null 2>&1; sleep ${seconds}`;
}
