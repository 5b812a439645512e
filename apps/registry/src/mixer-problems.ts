import type { Diagnostic } from '@seine/diagnostics';
import { memo } from '@seine/memo';
import { type PolicyObjects, policyObjectsOf, policyProblems } from '@seine/mixer';
import { adapterKinds } from '@seine/mixer-adapters';
import type { Mesh } from '@seine/model';

const problemsOf = memo('registry-mixer-problems', (objects: PolicyObjects, clusterDomain: string) =>
  policyProblems(objects, { adapters: adapterKinds, clusterDomain }),
);

/** What mixer will not do of its rules, and why: told to whoever applies them. */
export function mixerProblems({ resources, config }: Mesh): readonly Diagnostic[] {
  return problemsOf(policyObjectsOf(resources), config.clusterDomain);
}
