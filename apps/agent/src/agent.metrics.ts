import { announceBuild } from '@seine/nest';
import { Counter, Gauge, type Registry } from 'prom-client';

/** A certificate's remaining life; negative once it has expired. */
export interface Expiry {
  readonly workload: string;
  readonly seconds: number;
}

/** Metrics under the names of Istio's agent, with the workload beside them, as this agent has several. */
export class AgentMetrics {
  readonly #asked: Counter;
  readonly #failed: Counter;
  readonly #fileFailed: Counter;
  readonly #refused: Counter;

  constructor(private readonly registry: Registry) {
    announceBuild(registry, 'agent');
    const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
      new Counter({ name, help, labelNames, registers: [registry] });
    this.#asked = counter('istio_agent_num_outgoing_requests', 'Requests for certificates.', ['request_type']);
    this.#failed = counter('istio_agent_num_failed_outgoing_requests', 'Those that failed.', ['request_type']);
    this.#fileFailed = counter('istio_agent_num_file_secret_failures_total', 'Secrets in files that cannot be given.');
    this.#refused = counter('seine_agent_sds_rejected_total', 'Secrets that an Envoy has refused.');
  }

  /** @param read is asked at each scrape */
  expiries(read: () => readonly Expiry[]): void {
    new Gauge({
      name: 'istio_agent_cert_expiry_seconds',
      help: 'Seconds until a certificate expires; negative once it has.',
      labelNames: ['resource_name', 'workload'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { workload, seconds } of read()) this.set({ resource_name: 'default', workload }, seconds);
      },
    });
  }

  asked(): void {
    this.#asked.inc({ request_type: 'csr' });
  }

  failed(): void {
    this.#failed.inc({ request_type: 'csr' });
  }

  fileFailed(): void {
    this.#fileFailed.inc();
  }

  refused(): void {
    this.#refused.inc();
  }
}
