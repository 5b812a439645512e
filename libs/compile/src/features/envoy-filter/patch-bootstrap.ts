import { type Bootstrap, BootstrapSchema } from '@seine/envoy/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { mergeValue } from './patch-lists.js';
import { isMerge, type PatchSet } from './patches.js';

/** Applies the BOOTSTRAP patches of a proxy, in place: they can be merged only. They take effect when it starts. */
export function patchBootstrap(bootstrap: Bootstrap, patches: PatchSet): Bootstrap {
  for (const patch of patches.get('BOOTSTRAP') ?? [])
    if (isMerge(patch.operation)) mergeValue(BootstrapSchema, bootstrap, patch);
  return bootstrap;
}
