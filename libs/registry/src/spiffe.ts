/** The SPIFFE identity of a service account in a mesh (Istio, "Istio Identity"). */
export function spiffeId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}
