import type { Overrides } from './overrides.js';
import { type Container, filled, type Named, type Pod, type PodSpec, proxyContainer } from './pod.js';
import type { InjectionStatus } from './strip-injection.js';

/** What is put into a pod. */
export interface InjectedParts {
  readonly proxy: Container;
  readonly capture: Container | undefined;
  /** Whether the proxy is an init container that goes on. */
  readonly isNative: boolean;
  /** Whether it comes before the application's containers, which then wait for it. */
  readonly isFirst: boolean;
  readonly volumes: readonly Named[];
  readonly imagePullSecrets: readonly Named[];
}

export interface Assembled {
  readonly spec: PodSpec;
  /** Of what is there now, what is injection's. */
  readonly status: Omit<InjectionStatus, 'revision'>;
}

/** The application's containers, and apart from them what the pod says of those that injection makes. */
export function setApart({ spec }: Pod, made: readonly string[]): { readonly spec: PodSpec; readonly said: Overrides } {
  const ours = ({ name }: Container): boolean => made.includes(name);
  const { containers, initContainers, ...rest } = spec;
  const said = { containers: containers.filter(ours), initContainers: (initContainers ?? []).filter(ours) };
  return {
    spec: {
      ...rest,
      containers: containers.filter((one) => !ours(one)),
      ...(initContainers && { initContainers: initContainers.filter((one) => !ours(one)) }),
    },
    said: {
      ...(said.containers.length > 0 && { containers: said.containers }),
      ...(said.initContainers.length > 0 && { initContainers: said.initContainers }),
    },
  };
}

/**
 * Puts the parts in their places. A proxy that is an init container comes before the application's own init containers,
 * which thus have the mesh; otherwise traffic is redirected after them, as nobody would take it.
 */
export function assemble(spec: PodSpec, parts: InjectedParts): Assembled {
  const { proxy, capture, isNative, isFirst } = parts;
  const { containers, initContainers: inits = [], volumes = [], imagePullSecrets = [], ...rest } = spec;
  const captures = capture ? [capture] : [];
  const initContainers = isNative ? [...captures, proxy, ...inits] : [...inits, ...captures];
  const all = isNative ? containers : isFirst ? [proxy, ...containers] : [...containers, proxy];
  const newVolumes = lacking(volumes, parts.volumes);
  const newSecrets = lacking(imagePullSecrets, parts.imagePullSecrets);
  return {
    spec: {
      ...rest,
      containers: all,
      ...filled('initContainers', initContainers),
      ...filled('volumes', [...volumes, ...newVolumes]),
      ...filled('imagePullSecrets', [...imagePullSecrets, ...newSecrets]),
    },
    status: {
      initContainers: names([...captures, ...(isNative ? [proxy] : [])]),
      containers: names(isNative ? [] : [proxy]),
      volumes: names(newVolumes),
      imagePullSecrets: names(newSecrets),
    },
  };
}

/** Those that are not there yet under their names. */
function lacking(there: readonly Named[], wanted: readonly Named[]): readonly Named[] {
  return wanted.filter(({ name }) => !there.some((one) => one.name === name));
}

function names(all: readonly Named[]): readonly string[] | null {
  return all.length === 0 ? null : all.map(({ name }) => name);
}

/** The volumes of a proxy: the agent's socket, and the token by which it is known there. */
export function proxyVolumes(csiDriver: string): readonly Named[] {
  return [
    { name: 'workload-socket', csi: { driver: csiDriver, readOnly: true } },
    {
      name: 'istio-token',
      projected: {
        sources: [{ serviceAccountToken: { audience: 'istio-ca', expirationSeconds: 43_200, path: 'istio-token' } }],
      },
    },
  ];
}

export const isProxy = ({ name }: Named): boolean => name === proxyContainer;
