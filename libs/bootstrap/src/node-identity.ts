import type { Node } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import type { VerifiedIdentity } from '@seine/model';
import { quote, text } from './node-text.js';

/** The namespace that an id `type~ip~name.namespace~domain` names; empty for ids of other forms. */
function namespaceOfId(id: string): string {
  const [, , instance = '', ...rest] = id.split('~');
  return rest.length === 1 && instance.includes('.') ? instance.slice(instance.lastIndexOf('.') + 1) : '';
}

/**
 * Whether a node says that it is somebody else than its client has proved to be (Istio: `checkConnectionIdentity`). What
 * a node leaves out it does not claim.
 * @returns one sentence that says what is claimed wrongly, undefined when nothing is
 */
export function falseClaim(node: Node, identity: VerifiedIdentity): string | undefined {
  const { namespace, serviceAccount } = identity;
  const metadata = node.metadata ?? {};
  const claims: readonly (readonly [what: string, claimed: string, proved: string])[] = [
    ['its id', namespaceOfId(node.id), namespace],
    ['metadata NAMESPACE', text(metadata, 'NAMESPACE'), namespace],
    ['metadata SERVICE_ACCOUNT', text(metadata, 'SERVICE_ACCOUNT'), serviceAccount],
  ];
  const [wrong] = claims.filter(([, claimed, proved]) => claimed !== '' && claimed !== proved);
  if (!wrong) return undefined;
  const proved = `its client has proved to be ${namespace}/${serviceAccount}`;
  return `node ${quote(node.id)} claims ${quote(wrong[1])} in ${wrong[0]}; ${proved}`;
}
