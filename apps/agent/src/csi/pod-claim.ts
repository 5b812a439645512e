/** Whom kubelet says a volume is for. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
}

/** Reads what kubelet says of the pod (CSIDriver: podInfoOnMount). @returns or what it does not say */
export function readPod(context: Readonly<Record<string, string>>): Pod | { readonly error: string } {
  const value = (key: string): string => context[`csi.storage.k8s.io/${key}`] ?? '';
  const pod = {
    namespace: value('pod.namespace'),
    name: value('pod.name'),
    uid: value('pod.uid'),
    serviceAccount: value('serviceAccount.name'),
  };
  const missing = Object.entries(pod).filter(([, text]) => text === '');
  if (missing.length > 0)
    return {
      error: `kubelet says no ${missing.map(([key]) => key).join(', ')} of the pod: the CSIDriver needs podInfoOnMount: true`,
    };
  return pod;
}

/**
 * The token that kubelet sends along for an audience.
 * @param tokens JSON: audience → token
 */
export function readToken(
  tokens: string | undefined,
  audience: string,
): { readonly token: string } | { readonly error: string } {
  const lacks = `the CSIDriver needs tokenRequests: [{audience: ${audience}}] and requiresRepublish: true`;
  if (tokens === undefined || tokens === '') return { error: `kubelet sends no token: ${lacks}` };
  try {
    const entry = (JSON.parse(tokens) as Record<string, { readonly token?: unknown } | undefined>)[audience];
    return typeof entry?.token === 'string' && entry.token !== ''
      ? { token: entry.token }
      : { error: `kubelet sends no token for the audience ${audience}: ${lacks}` };
  } catch {
    return { error: 'the tokens that kubelet sends are no JSON' };
  }
}

interface Claims {
  readonly sub?: unknown;
  readonly 'kubernetes.io'?: { readonly pod?: { readonly uid?: unknown } };
}

/**
 * Whether a service account token is this pod's, by what it says; that it is true is for citadel to find out.
 * @returns why it is not; the token itself is not in the text
 */
export function tokenError(token: string, { namespace, serviceAccount, uid }: Pod): string | undefined {
  const claims = claimsOf(token);
  if (!claims) return 'it is no JWT';
  const subject = `system:serviceaccount:${namespace}:${serviceAccount}`;
  if (claims.sub !== subject) return `it is of ${JSON.stringify(claims.sub)}, and the pod is of ${subject}`;
  const bound = claims['kubernetes.io']?.pod?.uid;
  return bound === undefined || bound === uid
    ? undefined
    : `it is bound to the pod ${JSON.stringify(bound)}, and this is ${uid}`;
}

function claimsOf(token: string): Claims | undefined {
  const [, payload, signature, ...more] = token.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
