import { formatWorkloadId, type KubeApi, parseWorkloadId, type WorkloadIdentity } from '@seine/ca';
import type { BoundPod, Proof } from '@seine/identity';

/** A pod, as far as it matters who may ask for its certificate. */
export interface PodOnNode {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Tells which pods are on which node now. @throws Error when that is not known */
export interface PodLookup {
  /** The node of a pod; undefined where there is no such pod. */
  nodeOf(namespace: string, pod: BoundPod): Promise<string | undefined>;
  podsOn(node: string): Promise<readonly PodOnNode[]>;
}

export interface ImpersonationOptions {
  /** `NAMESPACE/ACCOUNT` of the agents that may; none = nobody. */
  readonly accounts: ReadonlySet<string>;
  readonly pods: PodLookup;
}

/**
 * An agent of a node asks for the certificate of a pod on it (C-11; Istio's node authorizer): only listed accounts,
 * only with a token bound to a pod, only for accounts that a pod now on that very node has.
 * @param wanted SPIFFE ID
 * @param options undefined = nobody may
 */
export async function impersonate(
  proof: Extract<Proof, { readonly identity: WorkloadIdentity }>,
  wanted: string,
  options: ImpersonationOptions | undefined,
): Promise<Proof> {
  const { identity, pod, by } = proof;
  const asker = formatWorkloadId(identity);
  if (!options) return { error: `${asker} asks for the certificate of ${wanted}, and nobody may here` };
  if (!options.accounts.has(`${identity.namespace}/${identity.serviceAccount}`))
    return { error: `${asker} is none of those that may ask for others` };
  if (!pod) return { error: `the token of ${asker} is bound to no pod: its node is not known` };
  const target = parseWorkloadId(wanted);
  if (!target || target.trustDomain !== identity.trustDomain) return { error: `${wanted} is no account of this mesh` };
  try {
    const node = pod.node ?? (await options.pods.nodeOf(identity.namespace, pod));
    if (node === undefined) return { error: `the pod ${pod.name} of ${asker} is not there` };
    const isThere = (await options.pods.podsOn(node)).some(
      ({ namespace, serviceAccount }) => namespace === target.namespace && serviceAccount === target.serviceAccount,
    );
    return isThere ? { identity: target, by } : { error: `no pod of ${wanted} is on the node ${node} of ${asker}` };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { error: `the pods of a node: ${message}`, unavailable: true };
  }
}

interface PodObject {
  readonly metadata?: { readonly namespace?: string; readonly uid?: string };
  readonly spec?: { readonly nodeName?: string; readonly serviceAccountName?: string };
  readonly status?: { readonly phase?: string };
}

/** Asks the Kubernetes API each time, so that nothing is given for a pod that has gone. */
export function kubePods(api: KubeApi): PodLookup {
  return {
    nodeOf: async (namespace, { name, uid }) => {
      const { status, body } = await api.request(
        'GET',
        `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`,
      );
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`the API answered ${status}`);
      const pod = body as PodObject;
      return pod.metadata?.uid === uid ? pod.spec?.nodeName : undefined;
    },
    podsOn: async (node) => {
      const selector = encodeURIComponent(`spec.nodeName=${node}`);
      const { status, body } = await api.request('GET', `/api/v1/pods?fieldSelector=${selector}`);
      if (status !== 200) throw new Error(`the API answered ${status}`);
      const { items = [] } = body as { readonly items?: readonly PodObject[] };
      return items
        .filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')
        .flatMap(({ metadata, spec }) =>
          metadata?.namespace === undefined
            ? []
            : [{ namespace: metadata.namespace, serviceAccount: spec?.serviceAccountName ?? 'default' }],
        );
    },
  };
}
