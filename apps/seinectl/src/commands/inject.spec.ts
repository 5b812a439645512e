import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { run } from '../program.js';
import { FakeIo } from '../testing/fake-io.js';

const manifest = `# What everybody calls.
apiVersion: v1
kind: Service
metadata: {name: web} # kept as it is written
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
`;

const bad = manifest.replace(
  'labels: {app: web}}',
  'labels: {app: web}, annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "x"}}',
);

interface Printed {
  readonly kind: string;
  readonly spec: {
    readonly template: { readonly spec: Record<string, { readonly name: string; readonly image: string }[]> };
  };
}

let io: FakeIo;
beforeEach(() => {
  io = new FakeIo();
  io.stdin = manifest;
});

const printed = () => parseAllDocuments(io.stdout).map((document) => document.toJS() as Printed);

describe('inject', () => {
  it('puts a proxy into pods, and leaves the rest as it was written', async () => {
    expect([await run(['inject', '-f', '-'], io), io.stderr]).toEqual([0, '']);
    expect(io.stdout).toContain('# What everybody calls.');
    expect(io.stdout).toContain('# kept as it is written');
    const [service, deployment] = printed();
    expect(service?.kind).toBe('Service');
    const { containers, initContainers } = deployment!.spec.template.spec;
    expect(containers?.map(({ name }) => name)).toEqual(['web']);
    expect(initContainers?.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy']);
  });

  it('gives the same for what it has printed', async () => {
    await run(['inject', '-f', '-'], io);
    const once = io.stdout;
    io = new FakeIo();
    io.stdin = once;
    expect(await run(['inject', '-f', '-'], io)).toBe(0);
    expect(io.stdout).toBe(once);
  });

  it('takes images and the ways of a cluster as flags', async () => {
    const flags = ['--proxy-image', 'envoy:mine', '--cni', '--no-native-sidecars'];
    expect(await run(['inject', '-f', '-', ...flags], io)).toBe(0);
    const { containers, initContainers } = printed()[1]!.spec.template.spec;
    expect(containers?.map(({ name, image }) => `${name} ${image}`)).toEqual(['web web', 'istio-proxy envoy:mine']);
    expect(initContainers).toBeUndefined();
  });

  it('says what is wrong with an annotation, and prints nothing', async () => {
    io.stdin = bad;
    expect(await run(['inject', '-f', '-'], io)).toBe(1);
    expect(io.stdout).toBe('');
    expect(io.stderr).toBe(
      "error: stdin:7: Deployment web: annotation traffic.sidecar.istio.io/excludeInboundPorts: 'x' is not a port from 1 to 65535\n" +
        'error: nothing was printed, as 1 of the objects cannot be injected\n',
    );
  });

  it('says why a pod gets none', async () => {
    io.stdin = manifest.replace('spec: {containers', 'spec: {hostNetwork: true, containers');
    expect(await run(['inject', '-f', '-'], io)).toBe(0);
    expect(io.stderr).toBe('stdin:7: Deployment web gets no proxy: hostNetwork: its traffic is that of the node\n');
  });

  it('leaves a namespace alone that is not to be injected', async () => {
    const namespace =
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio-injection: disabled}}\n---\n';
    io.stdin = namespace + manifest;
    expect(await run(['inject', '-f', '-'], io)).toBe(0);
    expect(io.stderr).toContain('its namespace has istio-injection=disabled');
    expect(io.stdout).not.toContain('istio-proxy');
  });

  it('names the line of broken YAML', async () => {
    io.stdin = 'kind: Pod\nmetadata: {name: [\n';
    expect(await run(['inject', '-f', '-'], io)).toBe(1);
    expect(io.stderr).toMatch(/error: stdin:\d+: /);
  });
});
