// The mesh of `npm run bench -- sidecar-cost`: a client's and a server's sidecar, identities, mixer, and an application that costs little.
import fs from 'node:fs';
import path from 'node:path';
import { debianProgram, documents, envoyBinary, httpProxyPort, MixerProcess, TestMesh } from '@seine/e2e';
import { freePort, run, start, waitFor } from './processes.mjs';

const host = '127.0.0.1';

/** CPU-seconds that a process has used (Linux: clock ticks of a hundredth). */
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** An Envoy that answers each request by itself: what it takes is the same in each scenario. */
function applicationBootstrap(port, admin) {
  const address = (port_value) => ({ socket_address: { address: host, port_value } });
  const type = (name) => `type.googleapis.com/envoy.extensions.filters.${name}`;
  const manager = {
    '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'application',
    http_filters: [{ name: 'router', typed_config: { '@type': type('http.router.v3.Router') } }],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/' },
              direct_response: { status: 200, body: { inline_string: 'x'.repeat(1024) } },
            },
          ],
        },
      ],
    },
  };
  return {
    admin: { address: address(admin) },
    static_resources: {
      listeners: [
        {
          name: 'application',
          address: address(port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
    },
  };
}

/** Sum of the samples of a metric in Prometheus' text, whatever their labels are. */
function sumOf(text, name) {
  const lines = text.split('\n').filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

export class SidecarMesh {
  #application;

  static async start() {
    const mixer = await MixerProcess.prepare();
    const mesh = await TestMesh.start({
      identity: true,
      workloads: [{ name: 'server-v1', sidecar: true }],
      config: { mixer: mixer.yaml },
    });
    const pair = new SidecarMesh(mesh, mixer, await debianProgram({ package: 'nghttp2-client', program: 'h2load' }));
    try {
      await mixer.start(mesh.identity, ['--config-dir', mesh.configDir]);
      await pair.#startApplication();
      return pair;
    } catch (error) {
      await pair.stop();
      throw error;
    }
  }

  constructor(mesh, mixer, h2load) {
    this.mesh = mesh;
    this.mixer = mixer;
    this.h2load = h2load;
  }

  async #startApplication() {
    // In place of the mesh's own upstream, which is JavaScript.
    const { port } = this.mesh.echo('server-v1');
    await this.mesh.echo('server-v1').close();
    const file = path.join(this.mesh.folder, 'application.json');
    fs.writeFileSync(file, JSON.stringify(applicationBootstrap(port, await freePort())));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'];
    this.#application = start(await envoyBinary(), args);
    const answers = () =>
      fetch(`http://${host}:${port}/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor(answers, 30, 'the application to answer', this.#application);
  }

  /** Puts YAML into force at both sidecars. */
  async apply(yaml) {
    await this.mesh.apply('scenario', yaml);
  }

  /** What is counted and used so far. */
  async #readings() {
    const [client, server] = [this.mesh.client, this.mesh.envoy('server-v1')];
    const proxies = await Promise.all(
      [client, server].map(async (envoy) =>
        sumOf(await envoy.admin('/stats/prometheus?filter=istio_requests_total'), 'envoy_seine_istio_requests_total'),
      ),
    );
    const mixer = await (await fetch(`http://${this.mixer.adminAddress}/metrics`)).text();
    return {
      counted: proxies[0] + proxies[1],
      logged: sumOf(mixer, 'mixer_access_log_entries_total'),
      asked: sumOf(mixer, 'mixer_check_decisions_total') + sumOf(mixer, 'ratelimit_service_rate_limit_total_hits'),
      sidecarCpu: cpuOf(client.process.pid) + cpuOf(server.process.pid),
      mixerCpu: cpuOf(this.mixer.pid),
    };
  }

  /**
   * So many requests a second for so long.
   * @returns `took`, ms, in order, `failed`, and what each request was counted and used at: `counted` in the proxies, `logged`
   * and `asked` in mixer, `sidecarUs` and `mixerUs` of CPU
   */
  async load({ perSecond, seconds, connections }) {
    const log = path.join(this.mesh.folder, 'h2load.log');
    fs.rmSync(log, { force: true });
    const before = await this.#readings();
    await run(this.h2load, [
      ...['--h1', '--connect-to', `${this.mesh.clientAddress}:${httpProxyPort}`, '-c', String(connections)],
      ...['--rps', String(perSecond / connections), '-D', String(seconds), '--log-file', log, 'http://server:8080/'],
    ]);
    // Proxies send what they have logged every second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const after = await this.#readings();
    const lines = fs
      .readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('\t').map(Number));
    const took = lines.filter(([, status]) => status === 200).map(([, , us]) => us / 1000);
    const each = (name, scale = 1) => ((after[name] - before[name]) * scale) / lines.length;
    return {
      took: took.sort((a, b) => a - b),
      failed: lines.length - took.length,
      counted: each('counted'),
      logged: each('logged'),
      asked: each('asked'),
      sidecarUs: each('sidecarCpu', 1e6),
      mixerUs: each('mixerCpu', 1e6),
    };
  }

  async stop() {
    await this.#application?.stop();
    await this.mixer.stop();
    await this.mesh.stop();
  }
}

export { documents };
