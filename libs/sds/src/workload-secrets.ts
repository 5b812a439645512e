import type { FileSecrets } from './file-secrets.js';
import { ownRootSecretName, rootSecretName, type SecretResource, workloadSecretName } from './secret.js';
import type { SecretBoard, SecretSource } from './secret-source.js';

/** What one workload may have: its own certificate, the roots, and files where they are let out. */
export class WorkloadSecrets implements SecretSource {
  /**
   * @param own has the workload's certificate
   * @param shared has the roots
   */
  constructor(
    private readonly own: SecretBoard,
    private readonly shared: SecretBoard,
    private readonly files: FileSecrets,
  ) {}

  refusal(name: string): string | undefined {
    if (name === workloadSecretName || isShared(name)) return undefined;
    return this.files.refusal(name);
  }

  get(name: string): SecretResource | undefined {
    return this.#sourceOf(name).get(name);
  }

  watch(name: string, listener: () => void): () => void {
    return this.#sourceOf(name).watch(name, listener);
  }

  #sourceOf(name: string): Pick<SecretSource, 'get' | 'watch'> {
    if (name === workloadSecretName) return this.own;
    return isShared(name) ? this.shared : this.files;
  }
}

const isShared = (name: string): boolean => name === rootSecretName || name === ownRootSecretName;
