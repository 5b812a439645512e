import { X509Certificate } from 'node:crypto';
import { announceBuild } from '@seine/nest';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Metrics under the names of Istio's citadel. */
export class CitadelMetrics {
  readonly #asked: Counter;
  readonly #unreadable: Counter;
  readonly #failed: Counter;
  readonly #notBelieved: Counter;
  readonly #issued: Counter;
  readonly #refused: Counter;
  readonly #rootExpiry: Gauge;
  readonly #chainExpiry: Gauge;

  constructor(registry: Registry) {
    announceBuild(registry, 'citadel');
    const registers = [registry];
    const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
      new Counter({ name, help, labelNames, registers });
    this.#asked = counter('citadel_server_csr_count', 'Requests for certificates.');
    this.#unreadable = counter('citadel_server_csr_parsing_err_count', 'Requests that cannot be taken as they are.');
    this.#failed = counter('citadel_server_csr_sign_err_count', 'Requests that nobody could sign.');
    this.#notBelieved = counter('citadel_server_authentication_failure_count', 'Callers that were not believed.');
    this.#issued = counter('citadel_server_success_cert_issuance_count', 'Certificates issued.');
    this.#refused = counter('seine_citadel_refused_total', 'Requests of proved callers that were refused.', ['code']);
    this.#rootExpiry = new Gauge({
      name: 'citadel_server_root_cert_expiry_timestamp',
      help: 'Unix time, in seconds, when the first of the trusted roots ends.',
      registers,
    });
    this.#chainExpiry = new Gauge({
      name: 'citadel_server_cert_chain_expiry_timestamp',
      help: 'Unix time, in seconds, when what signs ends.',
      registers,
    });
  }

  asked(): void {
    this.#asked.inc();
  }

  notBelieved(): void {
    this.#notBelieved.inc();
  }

  issued(): void {
    this.#issued.inc();
  }

  refused(code: string): void {
    this.#refused.inc({ code });
    if (code === 'INVALID_ARGUMENT') this.#unreadable.inc();
    if (code === 'UNAVAILABLE') this.#failed.inc();
  }

  /** @param roots PEM */
  roots(roots: readonly string[]): void {
    this.#rootExpiry.set(Math.min(...roots.map((pem) => Date.parse(new X509Certificate(pem).validTo))) / 1000);
  }

  /** @param endsAt milliseconds since 1970 */
  signer(endsAt: number): void {
    this.#chainExpiry.set(endsAt / 1000);
  }
}
