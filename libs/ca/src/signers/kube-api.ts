import { SignerUnavailableError } from './certificate-signer.js';

/** The Kubernetes API as the signers need it. */
export interface KubeApi {
  /**
   * @param path with its query
   * @param body JSON
   * @returns the answer, whatever its status
   * @throws Error when there is none
   */
  request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<KubeAnswer>;
}

export interface KubeAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** What the API says went wrong, in its own words. */
export function kubeError({ status, body }: KubeAnswer): string {
  const message = (body as { readonly message?: unknown } | null)?.message;
  return `the Kubernetes API answered ${status}${typeof message === 'string' ? `: ${message}` : ''}`;
}

/** @throws SignerUnavailableError for any other status, and for no answer */
export async function askKube(ask: () => Promise<KubeAnswer>, expected: readonly number[]): Promise<KubeAnswer> {
  let answer: KubeAnswer;
  try {
    answer = await ask();
  } catch (error) {
    throw new SignerUnavailableError(`the Kubernetes API: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!expected.includes(answer.status)) throw new SignerUnavailableError(kubeError(answer));
  return answer;
}
