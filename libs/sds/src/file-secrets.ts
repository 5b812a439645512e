import { createPrivateKey, X509Certificate } from 'node:crypto';
import { splitCertificates } from '@seine/ca';
import { certificateSecret, rootSecret, type SecretResource } from './secret.js';
import { SecretBoard, type SecretSource } from './secret-source.js';
import { readTrustedRoots } from './trusted-roots.js';

/** Names of secrets in files, as Istio has them: `file-cert:CERTIFICATE~KEY` and `file-root:CERTIFICATES`. */
export type FileSecretName =
  | { readonly kind: 'certificate'; readonly files: readonly [string, string] }
  | { readonly kind: 'root'; readonly files: readonly [string] };

/** @returns undefined where the name is none of a file */
export function parseFileSecretName(name: string): FileSecretName | undefined {
  const [, kind, rest = ''] = /^file-(cert|root):(.+)$/.exec(name) ?? [];
  if (kind === 'root') return { kind: 'root', files: [rest] };
  const [certificate, key, ...more] = rest.split('~');
  if (kind !== 'cert' || !certificate || !key || more.length > 0) return undefined;
  return { kind: 'certificate', files: [certificate, key] };
}

/** The system's own roots: `file-root:system`. */
export const systemRoots = 'system';

export interface FileSecretsOptions {
  /** Whether the workload may have what is in this file. */
  readonly isAllowed: (file: string) => boolean;
  /**
   * Follows a file.
   * @param onText is told the text at once or soon, and after each change; undefined while there is no such file
   */
  readonly watchFile: (file: string, onText: (text: string | undefined) => void) => () => void;
  /** Says why a secret cannot be given, or not be replaced. */
  readonly onFailure: (name: string, reason: string) => void;
}

/** What is followed of one secret while somebody wants it. */
interface Followed {
  users: number;
  readonly end: () => void;
}

/** Secrets in files, read again when they change. Broken files, and halves of a pair, never replace what was good. */
export class FileSecrets implements SecretSource {
  readonly #board = new SecretBoard();
  readonly #followed = new Map<string, Followed>();

  constructor(private readonly options: FileSecretsOptions) {}

  refusal(name: string): string | undefined {
    const parsed = parseFileSecretName(name);
    if (!parsed) return 'is not known; there are default, ROOTCA, file-cert:CERTIFICATE~KEY and file-root:FILE';
    const barred = parsed.files.find((file) => !this.options.isAllowed(file));
    return barred === undefined ? undefined : `is not let out: ${barred} is not in a folder of this workload’s files`;
  }

  get(name: string): SecretResource | undefined {
    return this.#board.get(name);
  }

  watch(name: string, listener: () => void): () => void {
    const unwatch = this.#board.watch(name, listener);
    const followed = this.#followed.get(name) ?? this.#follow(name);
    followed.users++;
    return () => {
      unwatch();
      if (--followed.users > 0) return;
      followed.end();
      this.#followed.delete(name);
      this.#board.delete(name);
    };
  }

  #follow(name: string): Followed {
    const parsed = parseFileSecretName(name);
    const texts = new Map<string, string | undefined>();
    const ends = (parsed?.files ?? []).map((file) =>
      this.options.watchFile(file, (text) => {
        texts.set(file, text);
        if (parsed && texts.size === new Set(parsed.files).size) this.#take(name, parsed, texts);
      }),
    );
    const followed = { users: 0, end: () => ends.forEach((end) => end()) };
    this.#followed.set(name, followed);
    return followed;
  }

  #take(name: string, { kind, files }: FileSecretName, texts: ReadonlyMap<string, string | undefined>): void {
    const [first = '', second = ''] = files.map((file) => texts.get(file));
    const missing = files.find((file) => texts.get(file) === undefined);
    const wrong =
      missing !== undefined
        ? `${missing} cannot be read`
        : kind === 'root'
          ? rootError(files[0], first)
          : pairError(files, first, second);
    if (wrong !== undefined) this.options.onFailure(name, wrong);
    else this.#board.put(kind === 'root' ? rootSecret(name, first) : certificateSecret(name, first, second));
  }
}

function rootError(file: string, text: string): string | undefined {
  const read = readTrustedRoots(text);
  return 'error' in read ? `${file} ${read.error}` : undefined;
}

function pairError(
  [certificateFile, keyFile]: readonly [string, string],
  chain: string,
  key: string,
): string | undefined {
  try {
    const [leaf] = splitCertificates(chain).map((pem) => new X509Certificate(pem));
    if (!leaf) return `${certificateFile} holds no certificate in PEM`;
    return leaf.checkPrivateKey(createPrivateKey(key)) ? undefined : `${keyFile} is not the key of ${certificateFile}`;
  } catch {
    return `${certificateFile} and ${keyFile} are not a certificate and its key in PEM`;
  }
}
