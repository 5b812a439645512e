import type { EnvoyPatch, PatchProblem } from '@seine/compile';
import type { Diagnostic } from '@seine/diagnostics';

/** One reason for which one patch is left out, and where. */
interface LeftOut {
  readonly patch: EnvoyPatch;
  readonly reason: string;
  readonly resources: Set<string>;
  readonly proxies: Set<string>;
}

/** `a`, `a and one other cluster`, `a and 5 other clusters`. */
function andOthers(names: ReadonlySet<string>, one: string, many: string): string {
  const [first = ''] = names;
  const others = names.size - 1;
  if (others <= 0) return first;
  return `${first} and ${others === 1 ? `one other ${one}` : `${others} other ${many}`}`;
}

function describe({ patch: { filter, index }, reason, resources, proxies }: LeftOut): Diagnostic {
  const where = andOthers(resources, 'resource', 'resources');
  const whose = andOthers(proxies, 'proxy', 'proxies');
  const { namespace, name } = filter.metadata;
  return {
    severity: 'warning',
    code: 'SEINE-PATCH',
    message: `Left out of ${where} of ${whose}: ${reason}.`,
    object: { kind: 'EnvoyFilter', namespace, name },
    path: `spec.configPatches[${index}]`,
  };
}

/**
 * Patches that proxies do not get: one diagnostic a patch and reason, however many resources and proxies it is.
 * @param found what each proxy does not get, by the proxy's id
 */
export function patchDiagnostics(
  found: Iterable<readonly [proxy: string, problems: readonly PatchProblem[]]>,
): readonly Diagnostic[] {
  // Proxies of a class have one list: a thousand of them are looked at once.
  const proxiesOf = new Map<readonly PatchProblem[], string[]>();
  for (const [proxy, problems] of found) {
    const proxies = proxiesOf.get(problems);
    if (proxies) proxies.push(proxy);
    else if (problems.length > 0) proxiesOf.set(problems, [proxy]);
  }
  const byPatch = new Map<EnvoyPatch, Map<string, LeftOut>>();
  for (const [problems, proxies] of proxiesOf)
    for (const { patch, resource, message: reason } of problems) {
      let byReason = byPatch.get(patch);
      if (!byReason) byPatch.set(patch, (byReason = new Map<string, LeftOut>()));
      let left = byReason.get(reason);
      if (!left) byReason.set(reason, (left = { patch, reason, resources: new Set(), proxies: new Set() }));
      left.resources.add(resource);
      for (const proxy of proxies) left.proxies.add(proxy);
    }
  return [...byPatch.values()].flatMap((byReason) => [...byReason.values()].map(describe));
}
