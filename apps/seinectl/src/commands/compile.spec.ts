import { beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../program.js';
import { FakeIo } from '../testing/fake-io.js';

const mesh = `apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template:
    metadata: {labels: {app: reviews, version: v1}}
    spec: {containers: [{name: reviews, image: reviews, ports: [{containerPort: 9080}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http: [{name: mine, route: [{destination: {host: reviews}}]}]
`;

interface Named {
  readonly name: string;
}

let io: FakeIo;
beforeEach(() => {
  io = new FakeIo();
  io.stdin = mesh;
});

describe('compile', () => {
  it.each(['reviews-v1.shop', 'reviews-v1.shop -o json'])('prints the resources of %s as JSON', async (proxy) => {
    expect([await run(['compile', '-f', '-', '--proxy', ...proxy.split(' ')], io), io.stderr]).toEqual([0, '']);
    const printed = JSON.parse(io.stdout) as Record<string, Named[]>;
    expect(Object.keys(printed)).toEqual(['listeners', 'routes', 'clusters', 'endpoints']);
    const names = (printed['clusters'] ?? []).map((cluster) => cluster.name);
    expect(names).toContain('outbound|9080||reviews.shop.svc.cluster.local');
    expect(JSON.stringify(printed['routes'])).toContain('"mine"');
  });

  it('prints YAML', async () => {
    expect(await run(['compile', '-f', '-', '--proxy', 'reviews-v1.shop', '-o', 'yaml'], io)).toBe(0);
    expect(io.stdout).toMatch(/^listeners:\n {2}- /);
  });

  it('names the workloads there are', async () => {
    expect(await run(['compile', '-f', '-', '--proxy', 'reviews-v2.shop'], io)).toBe(1);
    expect(io.stdout).toBe('');
    expect(io.stderr).toBe('error: there is no workload reviews-v2.shop in -; there are reviews-v1.shop\n');
  });

  it.each([
    ['a syntax error', mesh.replace('hosts: [reviews]', 'hosts: [reviews')],
    ['a wrong type', mesh.replace('hosts: [reviews]', 'hosts: reviews')],
  ])('%s ends it with file, line and column', async (_case, text) => {
    io.stdin = text;
    expect(await run(['compile', '-f', '-', '--proxy', 'reviews-v1.shop'], io)).toBe(1);
    expect(io.stdout).toBe('');
    expect(io.stderr).toMatch(/^stdin:2[0-9]:\d+: error: /);
    expect(io.stderr).toMatch(/error: nothing was compiled, as the YAML is wrong\n$/);
  });

  it('has to be told whose Envoy', async () => {
    expect(await run(['compile', '-f', '-'], io)).toBe(2);
    expect(io.stderr).toMatch(/required option '--proxy <workload>' not specified/);
  });
});
