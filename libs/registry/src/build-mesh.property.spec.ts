import { describe, expect, it } from '@jest/globals';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { deepEqual } from '@seine/memo';
import { defaultMeshConfig, type Mesh } from '@seine/model';
import { buildMesh } from './build-mesh.js';

/** mulberry32: a seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Generator {
  readonly #next: () => number;
  constructor(seed: number) {
    this.#next = random(seed);
  }
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)]!;
  }
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }
  chance(share: number): boolean {
    return this.#next() < share;
  }

  #meta(names: readonly string[], more: object = {}) {
    const created = this.chance(0.3) ? { creationTimestamp: `2026-01-0${1 + this.below(3)}T00:00:00Z` } : {};
    return { name: this.pick(names), namespace: this.pick(['a', 'b']), ...created, ...more };
  }
  #labels() {
    const version = this.chance(0.5) ? { version: this.pick(['v1', 'v2']) } : {};
    return { app: this.pick(['x', 'y', 'z']), ...version };
  }
  #ip() {
    return `10.0.0.${1 + this.below(9)}`;
  }

  readonly #kinds: Readonly<Record<string, () => ConfigObject>> = {
    service: () => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.#meta(['x', 'y']),
      spec: {
        selector: this.chance(0.8) ? this.#labels() : undefined,
        clusterIP: this.pick([undefined, 'None', '10.96.0.1']),
        ports: [{ name: 'http', port: 80, targetPort: this.pick([8080, 'web', undefined]) }],
      },
    }),
    pod: () => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: this.#meta(['p1', 'p2', 'p3', 'p4'], { labels: this.#labels() }),
      spec: {
        serviceAccountName: this.pick([undefined, 'sa1', 'sa2']),
        containers: this.chance(0.7) ? [{ ports: [{ name: 'web', containerPort: 9000 }] }] : [],
      },
      status: {
        podIP: this.chance(0.9) ? this.#ip() : undefined,
        phase: this.pick([undefined, 'Running', 'Pending']),
      },
    }),
    deployment: () => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: this.#meta(['d1', 'd2']),
      spec: {
        selector: { matchLabels: this.#labels() },
        template: { spec: { serviceAccountName: this.pick(['sa1', 'sa3']) } },
      },
    }),
    endpoints: () => ({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: this.#meta(['x', 'y']),
      subsets: [{ addresses: [{ ip: this.#ip() }], ports: [{ name: 'http', port: 8080 }] }],
    }),
    slice: () => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: this.#meta(['s1', 's2'], { labels: { 'kubernetes.io/service-name': this.pick(['x', 'y']) } }),
      endpoints: [
        { addresses: [this.#ip()], conditions: { ready: this.chance(0.5) } },
        { addresses: [this.#ip()], targetRef: { kind: 'Pod', name: this.pick(['p1', 'p2']) } },
      ],
      ports: [{ name: 'http', port: 8080 }],
    }),
    serviceEntry: () => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: this.#meta(['e1', 'e2']),
      spec: {
        hosts: [this.pick(['api.example.com', 'x.a.svc.cluster.local', 'y.b.svc.cluster.local']), 'two.example.com'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        resolution: this.pick(['STATIC', 'DNS', 'NONE']),
        exportTo: this.pick([undefined, ['.']]),
        ...(this.chance(0.5)
          ? { workloadSelector: { labels: this.#labels() } }
          : { endpoints: [{ address: this.#ip() }] }),
      },
    }),
    workloadEntry: () => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata: this.#meta(['w1', 'w2']),
      spec: { address: this.#ip(), labels: this.#labels(), ports: this.pick([undefined, { http: 7000 }]) },
    }),
    virtualService: () => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: this.#meta(['v1', 'v2', 'v3']),
      spec: { hosts: [this.pick(['x', 'y'])] },
    }),
  };

  object(): ConfigObject {
    return this.#kinds[this.pick(Object.keys(this.#kinds))]!();
  }
}

const parts = ['services', 'endpoints', 'workloads', 'resources'] as const;

/** Every value of `after` that is equal to that of `before` must be the same object. */
function expectIdentities(before: Mesh, after: Mesh): void {
  for (const part of parts) {
    const earlier: ReadonlyMap<string, unknown> = before[part];
    for (const [key, value] of after[part]) {
      if (deepEqual(earlier.get(key), value)) expect(earlier.get(key)).toBe(value);
    }
    if (deepEqual(before[part], after[part])) expect(after[part]).toBe(before[part]);
  }
  for (const [host, { byPort }] of after.endpoints) {
    for (const [port, list] of byPort) {
      const earlier = before.endpoints.get(host)?.byPort.get(port);
      if (deepEqual(earlier, list)) expect(earlier).toBe(list);
    }
  }
}

const flat = (mesh: Mesh) => Object.fromEntries(parts.map((part) => [part, [...mesh[part]]]));

describe('buildMesh from the mesh before', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('equals a full build at every step (seed %i)', (seed) => {
    const generator = new Generator(seed);
    const objects = new Map<ObjectKey, ConfigObject>();
    let mesh: Mesh | undefined;
    for (let step = 0; step < 60; step++) {
      const before = new Map(objects);
      for (let i = generator.below(3); i >= 0; i--) {
        if (objects.size > 0 && generator.chance(0.3)) objects.delete(generator.pick([...objects.keys()]));
        else {
          const object = generator.object();
          objects.set(objectKey(object), object);
        }
      }
      const changed = [...new Set([...before.keys(), ...objects.keys()])].filter(
        (key) => before.get(key) !== objects.get(key),
      );
      const incremental = buildMesh(mesh, objects, defaultMeshConfig, seed % 2 === 0 ? changed : undefined);
      const full = buildMesh(undefined, objects, defaultMeshConfig);
      expect(flat(incremental.mesh)).toEqual(flat(full.mesh));
      expect(incremental.diagnostics).toEqual(full.diagnostics);
      if (mesh) expectIdentities(mesh, incremental.mesh);
      mesh = incremental.mesh;
    }
    expect(mesh!.services.size + mesh!.workloads.size).toBeGreaterThan(0);
  });

  it.each([20, 21])('keeps what is equal when everything arrives anew, as after a resync (seed %i)', (seed) => {
    const generator = new Generator(seed);
    const objects = new Map(
      Array.from({ length: 40 }, () => generator.object()).map((object) => [objectKey(object), object]),
    );
    const first = buildMesh(undefined, objects, defaultMeshConfig).mesh;
    const copies = new Map([...objects].map(([key, object]) => [key, structuredClone(object)]));
    expect(buildMesh(first, copies, defaultMeshConfig).mesh).toBe(first);
    // The indexes went with the build above; a second mesh made from the same one starts without any.
    copies.delete([...copies.keys()][0]!);
    const second = buildMesh(first, copies, defaultMeshConfig).mesh;
    const third = buildMesh(first, copies, defaultMeshConfig).mesh;
    expectIdentities(first, third);
    expect(flat(third)).toEqual(flat(second));
  });

  it('follows a changed mesh config', () => {
    const generator = new Generator(3);
    const objects = new Map(
      Array.from({ length: 40 }, () => generator.object()).map((object) => [objectKey(object), object]),
    );
    const first = buildMesh(undefined, objects, defaultMeshConfig).mesh;
    const config = { ...defaultMeshConfig, clusterDomain: 'example.org' };
    expect(flat(buildMesh(first, objects, config).mesh)).toEqual(flat(buildMesh(undefined, objects, config).mesh));
  });
});
