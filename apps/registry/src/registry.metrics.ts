import { announceBuild } from '@seine/nest';
import { Counter, type Registry } from 'prom-client';

/** What the registry counts, under the names of Istio's validation. */
export class RegistryMetrics {
  readonly #passed: Counter;
  readonly #failed: Counter;

  constructor(registry: Registry) {
    announceBuild(registry, 'registry');
    const registers = [registry];
    this.#passed = new Counter({
      name: 'galley_validation_passed',
      help: 'Applied objects that are valid.',
      registers,
    });
    this.#failed = new Counter({ name: 'galley_validation_failed', help: 'Applied objects that are not.', registers });
  }

  validated(isValid: boolean): void {
    (isValid ? this.#passed : this.#failed).inc();
  }
}
