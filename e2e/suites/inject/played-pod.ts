import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Container, Pod } from '@seine/inject';
import { envoyBinary, repositoryRoot, TestProcess } from '../../src/index.js';

const proxyUid = '1337';

/** What kubelet knows of a pod when it starts its containers. */
const nodeAddress = '10.9.0.1';
const place = { POD_NAME: 'app-1', POD_NAMESPACE: 'default', INSTANCE_IP: '10.9.0.5' } as const;

/** kubelet's way with `$(NAME)` and `$$` in arguments and variables. */
function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(\$|\((\w+)\))/g, (whole, what: string, name: string) =>
    what === '$' ? '$' : (variables[name] ?? whole),
  );
}

const enter = ({ pid }: TestProcess): readonly string[] => ['--target', String(pid), '--net', '--mount'];

/** Runs a command in the network of another process. @returns what it prints @throws Error when it fails */
async function inside(
  holder: TestProcess,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env } };
    execFile('nsenter', [...enter(holder), '--', ...command], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

/** A bootstrap that waits for nobody: an Envoy serves nothing before it has heard of its certificate and from pilot. */
function alone(bootstrap: string): string {
  const { static_resources: fixed, ...rest } = JSON.parse(bootstrap) as Bootstrap;
  const clusters = fixed.clusters.filter(({ name }) => name !== 'xds-grpc' && name !== 'sds-grpc');
  return JSON.stringify({ ...rest, dynamic_resources: {}, static_resources: { ...fixed, clusters } });
}

interface Bootstrap {
  readonly static_resources: { readonly clusters: readonly { readonly name: string }[] };
}

/** An injected pod with a network of its own; kubelet's part is played: no image is pulled, no volume is mounted. */
export class PlayedPod {
  readonly address = place.INSTANCE_IP;
  readonly #processes: TestProcess[] = [];

  private constructor(
    private readonly pod: Pod,
    private readonly node: TestProcess,
    private readonly holder: TestProcess,
    readonly folder: string,
  ) {}

  static async create(pod: Pod): Promise<PlayedPod> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-pod-'));
    fs.chmodSync(folder, 0o711);
    const envoy = path.join(folder, 'envoy');
    fs.writeFileSync(envoy, '');
    const hold = async (name: string, script: string): Promise<TestProcess> => {
      const all = `ip link set lo up && ${script} echo here && exec sleep 100000`;
      const holder = new TestProcess(name, 'unshare', ['--net', '--mount', 'sh', '-c', all]);
      await holder.until(() => holder.output.includes('here'), 'made');
      return holder;
    };
    const node = await hold('node', '');
    const holder = await hold('pod', `mount --bind '${await envoyBinary()}' '${envoy}' &&`);
    await inside(node, [
      'ip',
      'link',
      'add',
      'pod',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      String(holder.pid),
    ]);
    for (const [one, device, address] of [
      [node, 'pod', nodeAddress],
      [holder, 'eth0', place.INSTANCE_IP],
    ] as const) {
      await inside(one, ['ip', 'address', 'add', `${address}/24`, 'dev', device]);
      await inside(one, ['ip', 'link', 'set', device, 'up']);
    }
    return new PlayedPod(pod, node, holder, folder);
  }

  /** The container of that name, wherever it is. */
  container(name: string): Container {
    const { containers, initContainers = [] } = this.pod.spec;
    const found = [...containers, ...initContainers].find((one) => one.name === name);
    if (!found) throw new Error(`the pod has no container ${name}`);
    return found;
  }

  /** Runs an init container to its end. */
  async runToEnd(name: string): Promise<void> {
    const [command = '', ...args] = this.#command(this.container(name));
    await this.run(command, args, this.#variables(this.container(name)));
  }

  /** Starts the proxy as its container says, as its user, but for pilot and the agent: there are none in this test. */
  startProxy(): TestProcess {
    const container = this.container('istio-proxy');
    const [, flag = '', bootstrap = '', ...rest] = this.#command(container);
    const args = [flag, alone(bootstrap), ...rest];
    const enter = [...this.#enter, '--setuid', proxyUid, '--setgid', proxyUid, '--', path.join(this.folder, 'envoy')];
    return this.#start('proxy', [...enter, ...args], this.#variables(container));
  }

  /** Starts a program of the application's: Node runs the text. */
  startApplication(script: string, env: Readonly<Record<string, string>> = {}): TestProcess {
    const node = [process.execPath, '--input-type=module', '-e', script];
    return this.#start('application', [...this.#enter, `--wd=${repositoryRoot}`, '--', ...node], env);
  }

  /** Runs a command in the pod. @returns what it prints @throws Error when it fails */
  async run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return await inside(this.holder, [command, ...args], env);
  }

  /** What kubelet sees at a probe. @returns the status; 0 where nothing answers */
  async probe(target: string, port: number): Promise<number> {
    const script = `process.stdout.write(String(await fetch(process.argv[1], { signal: AbortSignal.timeout(5000) }).then((r) => r.status, () => 0)))`;
    const url = `http://${this.address}:${port}${target}`;
    return Number(await inside(this.node, [process.execPath, '--input-type=module', '-e', script, url]));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.stop('SIGKILL')));
    await Promise.all([this.node.stop('SIGKILL'), this.holder.stop('SIGKILL')]);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  get #enter(): readonly string[] {
    return enter(this.holder);
  }

  #start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): TestProcess {
    const started = new TestProcess(name, 'nsenter', args, { env: { ...process.env, ...env } });
    this.#processes.push(started);
    return started;
  }

  #command({ command, args = [] }: Container): readonly string[] {
    return [...(command as readonly string[]), ...args].map((text) => expand(text, place));
  }

  #variables({ env = [] }: Container): Readonly<Record<string, string>> {
    return Object.fromEntries(
      env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, expand(value, place)]])),
    );
  }
}
