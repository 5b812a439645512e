import { CommandError } from '../command-error.js';

interface Named {
  readonly name: string;
  readonly namespace: string;
}

const fullName = (w: Named): string => `${w.name}.${w.namespace}`;

/**
 * The workload that `NAME` or `NAME.NAMESPACE` means: the exact name, else the only one whose name begins with it
 * (so `reviews-v1` finds `reviews-v1-7d4f`), as pods are often meant.
 * @throws CommandError naming the workloads there are
 */
export function findWorkload<W extends Named>(workloads: readonly W[], reference: string): W {
  const exact = workloads.filter((w) => w.name === reference || fullName(w) === reference);
  if (exact[0] && exact.length === 1) return exact[0];
  const dot = reference.lastIndexOf('.');
  const [name, namespace] = dot < 0 ? [reference, undefined] : [reference.slice(0, dot), reference.slice(dot + 1)];
  const begins = workloads.filter(
    (w) => w.name.startsWith(name) && (namespace === undefined || w.namespace === namespace),
  );
  const candidates = exact.length > 0 ? exact : begins;
  if (candidates[0] && candidates.length === 1) return candidates[0];
  const which = candidates.length > 1 ? candidates : workloads;
  const problem = candidates.length > 1 ? `${reference} means several workloads` : `there is no workload ${reference}`;
  throw new CommandError(`${problem}; there ${which.length === 1 ? 'is' : 'are'} ${listOf(which)}`);
}

function listOf(workloads: readonly Named[]): string {
  return workloads.length === 0 ? 'none at all' : workloads.map(fullName).sort().join(', ');
}
