import type { Diagnostic } from '@seine/diagnostics';
import { mixerGroup, normalizeObject } from '@seine/istio';
import { groupOf } from '@seine/k8s';
import type { AnalyzeSource } from './analyze-source.js';

/** What mixer would not do of its rules, and why. */
export async function mixerProblems({ objects, locate }: AnalyzeSource): Promise<readonly Diagnostic[]> {
  const own = objects.filter(({ apiVersion }) => groupOf(apiVersion) === mixerGroup).map(normalizeObject);
  if (own.length === 0) return [];
  const { policyProblems } = await import('@seine/mixer');
  const { adapterKinds } = await import('@seine/mixer-adapters');
  return policyProblems(own, { adapters: adapterKinds }).map((problem) => {
    const { object: ref, path } = problem;
    const object = own.find(
      ({ kind, metadata }) => kind === ref?.kind && metadata.namespace === ref.namespace && metadata.name === ref.name,
    );
    const position = object && locate(object, path);
    return position ? { ...problem, position } : problem;
  });
}
