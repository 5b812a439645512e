import { describe, expect, it } from '@jest/globals';
import { defaultMeshConfig } from '@seine/model';
import { injectPod } from './inject-pod.js';
import { defaultInjection, type InjectionSettings } from './injection-settings.js';
import type { Container, Pod } from './pod.js';

const settings: InjectionSettings = {
  ...defaultInjection,
  meshConfig: defaultMeshConfig,
  proxyImage: 'envoy',
  captureImage: 'capture',
};

type Annotations = Readonly<Record<string, string>>;

const pod = (annotations: Annotations = {}, more: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { generateName: 'app-', labels: { app: 'app' }, annotations },
  spec: {
    containers: [{ name: 'app', image: 'app', livenessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 3 } }],
    ...more,
  },
});

function inject(given: Pod, more: Partial<InjectionSettings> = {}): Pod {
  const outcome = injectPod({ pod: given, namespace: 'default' }, { ...settings, ...more });
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.pod;
}

const names = (all: readonly Container[] | undefined) => all?.map(({ name }) => name);
const proxyOf = ({ spec }: Pod) =>
  [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === 'istio-proxy')!;
const envOf = (container: Container) => (container.env ?? []).map(({ name }) => name);

describe('a pod that comes again', () => {
  it('I-5: with a container more has that one’s probes led over the proxy too, and nothing twice', () => {
    const once = inject(pod());
    const late: Container = { name: 'late', image: 'late', readinessProbe: { tcpSocket: { port: 90 } } };
    const changed: Pod = { ...once, spec: { ...once.spec, containers: [...once.spec.containers, late] } };
    const twice = inject(changed);
    expect(twice.spec.containers.map(({ livenessProbe, readinessProbe }) => livenessProbe ?? readinessProbe)).toEqual([
      { periodSeconds: 3, httpGet: { path: '/app-health/app/livez', port: 15_020 } },
      { httpGet: { path: '/app-health/late/readyz', port: 15_020 } },
    ]);
    expect(names(twice.spec.initContainers)).toEqual(['istio-init', 'istio-proxy']);
    expect(new Set(envOf(proxyOf(twice))).size).toBe(envOf(proxyOf(twice)).length);
    expect(twice).toEqual(inject({ ...pod(), spec: { ...pod().spec, containers: [...pod().spec.containers, late] } }));
  });

  it('under other settings is as if it had never been injected under the first', () => {
    const asked = pod({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9000' });
    const before = inject(asked);
    expect(before.metadata.annotations?.['prometheus.io/port']).toBe('15020');
    const others = { nativeSidecars: false, cni: true, enablePrometheusMerge: false, rewriteAppHTTPProbe: false };
    expect(inject(before, others)).toEqual(inject(asked, others));
  });

  it('keeps what it says of the proxy itself', () => {
    const asked = pod({}, { containers: [{ name: 'app' }, { name: 'istio-proxy', image: 'auto', args: ['mine'] }] });
    const once = inject(asked);
    expect([proxyOf(once).image, proxyOf(once).args]).toEqual(['envoy', ['mine']]);
    expect(inject(once)).toEqual(once);
  });

  it('does not trust a status that is no JSON', () => {
    expect(names(inject(pod({ 'sidecar.istio.io/status': '{' })).spec.containers)).toEqual(['app']);
  });
});

describe('the place of the proxy', () => {
  const inits = { initContainers: [{ name: 'migrate', image: 'migrate' }] };

  it('I-6: as a native sidecar is before the application’s init containers, which thus have the mesh', () => {
    const { spec } = inject(pod({}, inits));
    expect(names(spec.initContainers)).toEqual(['istio-init', 'istio-proxy', 'migrate']);
    expect(proxyOf({ metadata: {}, spec })).toMatchObject({ restartPolicy: 'Always' });
    expect(proxyOf({ metadata: {}, spec }).startupProbe).toMatchObject({ httpGet: { port: 15_021 } });
    expect(proxyOf({ metadata: {}, spec }).lifecycle?.postStart).toBeUndefined();
  });

  it('I-10: without native sidecars traffic is redirected after the init containers, whose network is still there', () => {
    const { spec } = inject(pod({}, inits), { nativeSidecars: false });
    expect(names(spec.initContainers)).toEqual(['migrate', 'istio-init']);
    expect(names(spec.containers)).toEqual(['app', 'istio-proxy']);
    expect(proxyOf({ metadata: {}, spec }).restartPolicy).toBeUndefined();
  });

  it('I-7: is the first, and the others wait for it, where they are to be held', () => {
    const hold = pod({ 'proxy.istio.io/config': 'holdApplicationUntilProxyStarts: true' });
    const { spec, metadata } = inject(hold, { nativeSidecars: false });
    expect(names(spec.containers)).toEqual(['istio-proxy', 'app']);
    expect(JSON.stringify(spec.containers[0]?.lifecycle?.postStart)).toContain('/healthz/ready');
    expect(metadata.annotations?.['kubectl.kubernetes.io/default-container']).toBe('app');
  });
});

describe('I-11: rights', () => {
  it('of the proxy are none', () => {
    expect(proxyOf(inject(pod())).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 1337,
      runAsGroup: 1337,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('to change the network has one container that ends, and with a CNI plug-in none', () => {
    const adding = ({ spec }: Pod) =>
      [...spec.containers, ...(spec.initContainers ?? [])]
        .filter(({ securityContext }) => JSON.stringify(securityContext ?? {}).includes('NET_ADMIN'))
        .map(({ name }) => name);
    expect(adding(inject(pod()))).toEqual(['istio-init']);
    expect(adding(inject(pod(), { cni: true }))).toEqual([]);
  });
});

describe('I-17: volumes and secrets', () => {
  it('are there once, with a token for citadel alone', () => {
    const { volumes } = inject(inject(pod())).spec;
    expect(volumes).toEqual([
      { name: 'workload-socket', csi: { driver: 'agent.seine.dev', readOnly: true } },
      {
        name: 'istio-token',
        projected: {
          sources: [{ serviceAccountToken: { audience: 'istio-ca', expirationSeconds: 43_200, path: 'istio-token' } }],
        },
      },
    ]);
  });

  it('of the same names stay as the pod has them', () => {
    const own = [{ name: 'istio-token', emptyDir: {} }];
    const { spec, metadata } = inject(pod({}, { volumes: own }));
    expect(spec.volumes?.find(({ name }) => name === 'istio-token')).toEqual(own[0]);
    expect(metadata.annotations?.['sidecar.istio.io/status']).toContain('"volumes":["workload-socket"]');
  });

  it('for pulling images are added to the pod’s', () => {
    const mine = { imagePullSecrets: [{ name: 'mine' }, { name: 'both' }] };
    const { spec } = inject(pod({}, mine), { imagePullSecrets: ['both', 'mesh'] });
    expect(spec.imagePullSecrets?.map(({ name }) => name)).toEqual(['mine', 'both', 'mesh']);
  });
});

describe('what kubelet reads as variables', () => {
  it('is only what injection means so', () => {
    const told = pod({ 'proxy.istio.io/config': '{proxyMetadata: {ISTIO_META_PRICE: "$(POD_NAME) $5"}}' });
    const text = proxyOf(inject(told)).args?.join(' ') ?? '';
    expect(text).toContain('$$(POD_NAME) $$5');
    expect(
      text
        .match(/(?<!\$)\$\(\w+\)/g)
        ?.sort()
        .filter((one, i, all) => all.indexOf(one) === i),
    ).toEqual(['$(INSTANCE_IP)', '$(POD_NAME)']);
  });
});

it.each([
  ['sidecar.istio.io/proxyCPU', 'much', "'much' is not a quantity, as 100m and 128Mi are"],
  ['sidecar.istio.io/nativeSidecar', 'maybe', "'maybe' is neither true nor false"],
  ['status.sidecar.istio.io/port', '70000', "'70000' is not a number from 0 to 65535"],
  ['readiness.status.sidecar.istio.io/periodSeconds', '-1', "'-1' is not a number from 0 to 100000"],
  ['inject.istio.io/templates', 'mine', "'mine' is not a template: sidecar and gateway are"],
  ['inject.istio.io/templates', 'sidecar,gateway', 'a pod is a sidecar or a gateway, not both'],
  [
    'sidecar.istio.io/userVolume',
    '[{}]',
    'should be JSON: a list of objects with a name each, or a map of objects by name',
  ],
  ['proxy.istio.io/config', 'concurrency: many', expect.stringContaining('concurrency')],
])('says what is wrong with %s: %s', (annotation, value, message) => {
  const outcome = injectPod({ pod: pod({ [annotation]: value }), namespace: 'default' }, settings);
  expect('problems' in outcome && outcome.problems).toEqual([{ annotation, message }]);
});
