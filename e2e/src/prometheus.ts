import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { TestProcess } from './child-process.js';
import { debianProgram } from './debian-package.js';
import { request } from './http-request.js';
import { freePort } from './loopback.js';
import { repositoryRoot } from './repository.js';

const host = '127.0.0.1';

export const prometheusFolder = path.join(repositoryRoot, 'deploy/prometheus');

/** What service discovery would find: labels as it gives them, `__meta_kubernetes_…` too. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrometheusOptions {
  /** Below deploy/prometheus. */
  readonly config: string;
  /** By `job_name`; a job that is not named finds nothing. */
  readonly discovered: Readonly<Record<string, readonly TargetGroup[]>>;
  /** Ports of the config file that are others in the test. */
  readonly ports?: Readonly<Record<number, number>>;
}

type ScrapeConfig = Readonly<Record<string, unknown>> & { readonly job_name: string };

interface PrometheusConfig {
  readonly global: Readonly<Record<string, unknown>>;
  readonly scrape_configs: readonly ScrapeConfig[];
}

/** One series of an answer, with its newest value. */
export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusRule {
  readonly name: string;
  readonly type: 'recording' | 'alerting';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

export interface PrometheusTarget {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

/** Path of the real Prometheus: on the PATH, or Debian's. */
export async function prometheusProgram(): Promise<string> {
  return await debianProgram({ package: 'prometheus', program: 'prometheus' });
}

/** Runs Prometheus' own checker. @returns what it printed @throws (rejects) with that where it found something wrong */
export async function promtool(args: readonly string[], cwd = prometheusFolder): Promise<string> {
  const program = await debianProgram({ package: 'prometheus', program: 'promtool' });
  return await new Promise((resolve, reject) => {
    execFile(program, [...args], { cwd }, (error, stdout, stderr) => {
      if (error) reject(new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`));
      else resolve(stdout + stderr);
    });
  });
}

/** A real Prometheus with one of the shipped configurations, which scrapes each second. */
export class Prometheus {
  #process: TestProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const prometheus = new Prometheus(fs.mkdtempSync(path.join(os.tmpdir(), 'seine-prometheus-')), await freePort());
    try {
      await prometheus.#start(options);
      return prometheus;
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
  }

  /** The configuration in force, as promtool takes it. */
  get configFile(): string {
    return path.join(this.folder, 'prometheus.json');
  }

  /** The series that an expression has now. @throws Error with Prometheus' words where it is none */
  async query(expr: string): Promise<readonly PrometheusSeries[]> {
    interface Answer {
      readonly resultType: 'vector' | 'scalar' | 'matrix' | 'string';
      readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
    }
    const { resultType, result } = await this.#get<Answer>(`query?query=${encodeURIComponent(expr)}`);
    if (resultType !== 'vector') throw new Error(`${expr}: a ${resultType}`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async rules(): Promise<readonly PrometheusRule[]> {
    interface Answer {
      readonly groups: readonly { readonly rules: readonly PrometheusRule[] }[];
    }
    return (await this.#get<Answer>('rules')).groups.flatMap(({ rules }) => rules);
  }

  async targets(): Promise<readonly PrometheusTarget[]> {
    interface Answer {
      readonly activeTargets: readonly PrometheusTarget[];
    }
    return (await this.#get<Answer>('targets?state=active')).activeTargets;
  }

  async stop(): Promise<void> {
    await this.#process?.stop('SIGKILL');
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(options: PrometheusOptions): Promise<void> {
    fs.writeFileSync(this.configFile, JSON.stringify(this.#config(options)));
    const args = [
      `--config.file=${this.configFile}`,
      `--storage.tsdb.path=${path.join(this.folder, 'data')}`,
      `--web.listen-address=${host}:${this.port}`,
    ];
    const started = new TestProcess('prometheus', await prometheusProgram(), args);
    this.#process = started;
    await started.until(() => this.#isReady(), 'ready');
  }

  /**
   * The shipped file with what a test changes: how often, where things are, and files in place of Kubernetes' API, as
   * Debian's Prometheus is built without it. What is done with what is found stays as it is.
   */
  #config({ config, discovered, ports = {} }: PrometheusOptions): object {
    let text = fs.readFileSync(path.join(prometheusFolder, config), 'utf8');
    for (const [port, other] of Object.entries(ports)) text = text.replaceAll(`:${port}`, `:${other}`);
    const parsed = parse(text) as PrometheusConfig;
    const unknown = Object.keys(discovered).filter(
      (job) => !parsed.scrape_configs.some(({ job_name }) => job_name === job),
    );
    if (unknown.length > 0) throw new Error(`${config} has no job ${unknown.join(', ')}`);
    return {
      ...parsed,
      global: { ...parsed.global, scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [path.join(prometheusFolder, 'rules.yaml')],
      scrape_configs: parsed.scrape_configs.map((job) => this.#fromFiles(job, discovered)),
    };
  }

  #fromFiles(job: ScrapeConfig, discovered: PrometheusOptions['discovered']): object {
    if ('static_configs' in job) return job;
    const { job_name: name } = job;
    const rest = Object.entries(job).filter(([key]) => key !== 'kubernetes_sd_configs');
    return { ...Object.fromEntries(rest), file_sd_configs: [{ files: [this.#found(name, discovered[name] ?? [])] }] };
  }

  #found(job: string, groups: readonly TargetGroup[]): string {
    const file = path.join(this.folder, `${job}.json`);
    fs.writeFileSync(file, JSON.stringify(groups));
    return file;
  }

  async #isReady(): Promise<boolean> {
    // Refused until it listens.
    return await request(host, this.port, '/-/ready').then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async #get<T>(target: string): Promise<T> {
    const { body } = await request(host, this.port, `/api/v1/${target}`);
    const answer = JSON.parse(body) as { readonly status: string; readonly error?: string; readonly data: T };
    if (answer.status !== 'success') throw new Error(`prometheus: ${target}: ${answer.error ?? body}`);
    return answer.data;
  }
}
