import type { DenialReport } from '@seine/api';
import type { ConfigApi, ObjectId } from './config-api.js';

/** What has proxies refuse who is revoked: an ordinary policy of the root namespace, which holds for the whole mesh. */
export const revocationPolicy: ObjectId = {
  group: 'security.istio.io',
  kind: 'AuthorizationPolicy',
  namespace: 'istio-system',
  name: 'seine-revoked',
};

/** Brings the policy in line with who is revoked. @throws CommandError */
export async function enforceDenials(api: ConfigApi, denied: readonly DenialReport[]): Promise<void> {
  if (denied.length === 0) {
    await api.delete([revocationPolicy]);
    return;
  }
  const { group, kind, namespace, name } = revocationPolicy;
  // A principal is a SPIFFE ID without its scheme.
  const principals = denied.map(({ spiffeId }) => spiffeId.replace(/^spiffe:\/\//, ''));
  const policy = {
    apiVersion: `${group}/v1`,
    kind,
    metadata: { name, namespace },
    spec: { action: 'DENY', rules: [{ from: [{ source: { principals } }] }] },
  };
  await api.apply([policy], false);
}
