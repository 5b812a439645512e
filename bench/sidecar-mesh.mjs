// The mesh of `npm run bench -- sidecar-cost`: two pairs of a client's and a server's sidecar, identities, mixer, and applications that
// cost little.
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

/** What a request is known by in the mesh: pair `a` is client-a and server-a, and their sidecars. */
export const pairs = ['a', 'b'];

export class SidecarMesh {
  #applications = [];

  static async start() {
    const mixer = await MixerProcess.prepare();
    const workloads = pairs.flatMap((pair) =>
      ['client', 'server'].map((side) => ({
        name: `${side}-${pair}`,
        app: `${side}-${pair}`,
        sidecar: true,
        labels: { pair, side },
      })),
    );
    const mesh = await TestMesh.start({ identity: true, workloads, config: { mixer: mixer.yaml } });
    const made = new SidecarMesh(mesh, mixer, await debianProgram({ package: 'nghttp2-client', program: 'h2load' }));
    try {
      await mixer.start(mesh.identity, ['--config-dir', mesh.configDir]);
      for (const pair of pairs) await made.#startApplication(`server-${pair}`);
      return made;
    } catch (error) {
      await made.stop();
      throw error;
    }
  }

  constructor(mesh, mixer, h2load) {
    this.mesh = mesh;
    this.mixer = mixer;
    this.h2load = h2load;
  }

  /** In place of the mesh's own upstream, which is JavaScript. */
  async #startApplication(name) {
    const { port } = this.mesh.echo(name);
    await this.mesh.echo(name).close();
    const file = path.join(this.mesh.folder, `${name}.application.json`);
    fs.writeFileSync(file, JSON.stringify(applicationBootstrap(port, await freePort())));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'];
    const application = start(await envoyBinary(), args);
    this.#applications.push(application);
    const answers = () =>
      fetch(`http://${host}:${port}/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor(answers, 30, 'the application to answer', application);
  }

  /** Puts YAML into force at all sidecars. */
  async apply(yaml) {
    await this.mesh.apply('scenario', yaml);
  }

  /** What is counted and used so far: by each pair, and by mixer. */
  async #readings() {
    const byPair = {};
    for (const pair of pairs) {
      const envoys = ['client', 'server'].map((side) => this.mesh.envoy(`${side}-${pair}`));
      const texts = await Promise.all(
        envoys.map((envoy) => envoy.admin('/stats/prometheus?filter=istio_requests_total')),
      );
      byPair[pair] = {
        counted: texts.reduce((sum, text) => sum + sumOf(text, 'envoy_seine_istio_requests_total'), 0),
        cpu: envoys.reduce((sum, envoy) => sum + cpuOf(envoy.process.pid), 0),
      };
    }
    const text = await (await fetch(`http://${this.mixer.adminAddress}/metrics`)).text();
    const mixer = {
      logged: sumOf(text, 'mixer_access_log_entries_total'),
      asked: sumOf(text, 'mixer_check_decisions_total') + sumOf(text, 'ratelimit_service_rate_limit_total_hits'),
      cpu: cpuOf(this.mixer.pid),
    };
    return { byPair, mixer };
  }

  /**
   * So many requests a second through each pair, at the same time.
   * @returns of each pair `{took, failed, counted, sidecarUs}`, and of mixer, a request of one pair, `{logged, asked, us}`: times in
   * ms in order, the rest a request
   */
  async load({ perSecond, seconds, connections }) {
    const before = await this.#readings();
    const logs = await Promise.all(pairs.map((pair) => this.#h2load(pair, { perSecond, seconds, connections })));
    // Proxies send what they have logged every second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const after = await this.#readings();
    const measured = {};
    pairs.forEach((pair, i) => {
      const lines = logs[i];
      const took = lines.filter(([, status]) => status === 200).map(([, , us]) => us / 1000);
      const each = (name, scale = 1) => ((after.byPair[pair][name] - before.byPair[pair][name]) * scale) / lines.length;
      measured[pair] = {
        took: took.sort((x, y) => x - y),
        failed: lines.length - took.length,
        counted: each('counted'),
        sidecarUs: each('cpu', 1e6),
      };
    });
    const each = (name, scale = 1) => ((after.mixer[name] - before.mixer[name]) * scale) / logs[0].length;
    return { ...measured, mixer: { logged: each('logged'), asked: each('asked'), us: each('cpu', 1e6) } };
  }

  /** @returns of each request `[start, status, microseconds]` */
  async #h2load(pair, { perSecond, seconds, connections }) {
    const log = path.join(this.mesh.folder, `h2load.${pair}.log`);
    fs.rmSync(log, { force: true });
    const { address } = this.mesh.workloads.get(`client-${pair}`);
    await run(this.h2load, [
      ...['--h1', '--connect-to', `${address}:${httpProxyPort}`, '-c', String(connections)],
      ...['--rps', String(perSecond / connections), '-D', String(seconds), '--log-file', log],
      `http://server-${pair}:8080/`,
    ]);
    const lines = fs.readFileSync(log, 'utf8').trim().split('\n');
    return lines.map((line) => line.split('\t').map(Number));
  }

  async stop() {
    for (const application of this.#applications) await application.stop();
    await this.mixer.stop();
    await this.mesh.stop();
  }
}

export { documents };
