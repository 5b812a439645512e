import path from 'node:path';
import { TestProcess } from './child-process.js';
import { freePort } from './loopback.js';
import type { MeshIdentity } from './mesh-identity.js';
import { mutualTlsLabel } from './mesh-options.js';
import { documents, podYaml, serviceYaml } from './mesh-yaml.js';
import { repositoryRoot } from './repository.js';

const host = '127.0.0.1';
const place = { name: 'mixer', namespace: 'istio-system' } as const;
const labels = { app: 'mixer', ...mutualTlsLabel };

/** A mixer on loopback, by its own identity `istio-system/mixer`: it may be killed and started again on its port. */
export class MixerProcess {
  #process: TestProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly admin: number,
    private readonly pod: string,
  ) {}

  /**
   * Chooses ports, so that a mesh can be told where it will be; starts nothing yet.
   * @param pod its name, where there are several mixers
   */
  static async prepare(pod = 'mixer'): Promise<MixerProcess> {
    return new MixerProcess(await freePort(), await freePort(), pod);
  }

  /** What says where it is: the Service `mixer` of the root namespace, and its pod. */
  get yaml(): string {
    return documents(
      serviceYaml({ ...place, ports: [{ name: 'grpc', port: 9091, targetPort: 'grpc' }] }),
      this.podYaml,
    );
  }

  /** Its pod alone, for another one of the same Service. */
  get podYaml(): string {
    return podYaml({
      ...place,
      name: this.pod,
      address: host,
      labels,
      ports: [{ name: 'grpc', containerPort: this.port }],
      serviceAccount: place.name,
    });
  }

  get pid(): number {
    if (!this.#process) throw new Error('mixer is not started');
    return this.#process.pid;
  }

  /** `host:port` of its admin port. */
  get adminAddress(): string {
    return `${host}:${this.admin}`;
  }

  /** What it has written since it was started. */
  get output(): string {
    return this.#process?.output ?? '';
  }

  /** Starts it and waits until it has a certificate in force. */
  async start(identity: MeshIdentity, more: readonly string[] = []): Promise<void> {
    const args = [
      ...['--citadel', identity.citadelAddress, '--root-cert', identity.rootsFile],
      ...['--token-file', identity.tokenFile(place.namespace, place.name)],
      ...['--trust-domain', identity.authority.trustDomain],
      ...['--listen', `${host}:${this.port}`, '--admin', `${host}:${this.admin}`, ...more],
    ];
    const main = path.join(repositoryRoot, 'apps/mixer/dist/main.js');
    const started = new TestProcess('mixer', process.execPath, [main, ...args], { cwd: repositoryRoot });
    this.#process = started;
    await started.until(async () => /^ready$/m.test(started.output) && (await this.#isReady()), 'ready');
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#process?.stop(signal);
  }

  /** The sum of what its /metrics says of a name, over all labels; 0 where it says nothing. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${host}:${this.admin}/metrics`)).text();
    const samples = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async #isReady(): Promise<boolean> {
    return (await fetch(`http://${host}:${this.admin}/ready`)).ok;
  }
}
