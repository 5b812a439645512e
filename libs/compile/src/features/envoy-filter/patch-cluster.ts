import { type Cluster, ClusterSchema } from '@seine/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { hostsOf, matchesCluster } from './match-cluster.js';
import { mergeValue, valueOf } from './patch-lists.js';
import { isInboundByChance, mergeTransportSocket } from './patch-listener.js';
import { type EnvoyPatch, isMerge, patchesFor, type PatchInput } from './patches.js';

/**
 * A patch with a transport socket changes that and nothing else, as in Istio: the one of its name among those that the
 * cluster chooses from by endpoint, or the only one; another takes its place.
 */
function mergeSocket(cluster: Cluster, patch: EnvoyPatch, refuse: PatchInput['refuse']): boolean {
  const theirs = valueOf(ClusterSchema, patch).transportSocket;
  if (!theirs) return false;
  const choices = cluster.transportSocketMatches;
  const chosen = choices.find(({ transportSocket }) => transportSocket?.name === theirs.name)?.transportSocket;
  // A socket of its own beside those to choose from would not be valid: such a patch has no effect.
  if (choices.length > 0 && !chosen) return true;
  if (!mergeTransportSocket(chosen ?? cluster.transportSocket, theirs, patch, refuse)) cluster.transportSocket = theirs;
  return true;
}

/**
 * Applies patches to a cluster, in place.
 * @returns undefined where a patch removes it
 */
export function patchCluster(cluster: Cluster, input: PatchInput): Cluster | undefined {
  const hosts = hostsOf(cluster);
  for (const patch of patchesFor(input, 'CLUSTER')) {
    if (!matchesCluster(patch, cluster.name, (host) => hosts.includes(host))) continue;
    if (patch.operation === 'REMOVE') return undefined;
    if (isMerge(patch.operation) && !mergeSocket(cluster, patch, input.refuse))
      mergeValue(ClusterSchema, cluster, patch);
  }
  return cluster;
}

/** The clusters that patches add. Without a context they are outbound ones, as in Istio. */
export function addedClusters(input: PatchInput): readonly (readonly [EnvoyPatch, Cluster])[] {
  return patchesFor(input, 'CLUSTER').flatMap((patch) =>
    patch.operation === 'ADD' && !isInboundByChance(patch, input) ? [[patch, valueOf(ClusterSchema, patch)]] : [],
  );
}
