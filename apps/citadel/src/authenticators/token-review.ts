import type { KubeApi } from '@seine/ca';
import { type Authenticator, type BoundPod, platformToken, type Proof, readAccount } from '@seine/identity';

export interface TokenReviewOptions {
  readonly api: KubeApi;
  readonly audience: string;
  readonly trustDomain: string;
  /** Whether tokens count that name no audience at all: those of Kubernetes before 1.21, which never end. */
  readonly acceptLegacy: boolean;
}

interface Review {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly error?: string;
    readonly audiences?: readonly string[];
    readonly user?: {
      readonly username?: string;
      readonly groups?: readonly string[];
      readonly extra?: Readonly<Record<string, readonly string[] | undefined>>;
    };
  };
}

const path = '/apis/authentication.k8s.io/v1/tokenreviews';
const serviceAccounts = 'system:serviceaccounts';
const claim = 'authentication.kubernetes.io';

/** Whether a JWT says for whom it is. It is not verified here: the API server does that. */
function namesAudience(token: string): boolean {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown };
    return payload.aud !== undefined;
  } catch {
    // No JWT that can be read: the API server is asked with the audience, and refuses it.
    return true;
  }
}

/**
 * By a token of Kubernetes, of which its API server says whose it is (`TokenReview`), and whether the pod and the
 * account that it is bound to are still there.
 */
export function byTokenReview(options: TokenReviewOptions): Authenticator {
  return async (credentials) => {
    const token = platformToken(credentials);
    if (token === undefined) return undefined;
    const asksAudience = namesAudience(token);
    if (!asksAudience && !options.acceptLegacy) return { error: 'the token names no audience' };
    const spec = { token, ...(asksAudience && { audiences: [options.audience] }) };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
    try {
      const answer = await options.api.request('POST', path, body);
      // Its message might repeat the token.
      if (answer.status !== 200 && answer.status !== 201)
        return { error: `TokenReview answered ${answer.status}`, unavailable: true };
      return readReview(answer.body as Review, asksAudience, options);
    } catch (error) {
      return { error: `TokenReview: ${error instanceof Error ? error.message : String(error)}`, unavailable: true };
    }
  };
}

function readReview({ status = {} }: Review, asksAudience: boolean, options: TokenReviewOptions): Proof {
  const { authenticated, error, audiences = [], user = {} } = status;
  if (!authenticated) return { error: `TokenReview: ${error ?? 'not authenticated'}` };
  // An API server that does not know audiences says nothing of them; its word then is about itself.
  if (asksAudience && !audiences.includes(options.audience))
    return { error: `TokenReview: the token is not for ${options.audience}` };
  const account = readAccount(user.username);
  if (!account || !user.groups?.includes(serviceAccounts)) return { error: 'the token is of no service account' };
  const pod = boundPod(user.extra ?? {});
  return { identity: { trustDomain: options.trustDomain, ...account }, by: 'token-review', ...(pod && { pod }) };
}

function boundPod(extra: Readonly<Record<string, readonly string[] | undefined>>): BoundPod | undefined {
  const [name] = extra[`${claim}/pod-name`] ?? [];
  const [uid] = extra[`${claim}/pod-uid`] ?? [];
  const [node] = extra[`${claim}/node-name`] ?? [];
  return name === undefined || uid === undefined ? undefined : { name, uid, node };
}
