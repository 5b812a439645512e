import { type ConfigObject, type Fields, fieldsOf, itemsOf, textOf } from '@seine/k8s';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

/** Where these operations say nothing new, as Envoy has the thing already or routes are not made by patches. */
const ignoredFor: ReadonlySet<string> = new Set(['ROUTE_CONFIGURATION', 'HTTP_ROUTE']);
const replaceable: ReadonlySet<string> = new Set(['NETWORK_FILTER', 'HTTP_FILTER', 'VIRTUAL_HOST']);
const relative: ReadonlySet<string> = new Set(['REMOVE', 'REPLACE', 'INSERT_BEFORE', 'INSERT_AFTER']);

/** What a patch is about by name: the filter it brings, else the filter it looks for. */
function nameOf(patch: Fields): string {
  const value = fieldsOf(patch['patch'])['value'];
  if (value === undefined) return '';
  const own = textOf(fieldsOf(value)['name']);
  const chain = fieldsOf(fieldsOf(fieldsOf(patch['match'])['listener'])['filterChain']);
  return own || textOf(fieldsOf(chain['filter'])['name']);
}

/** What is wrong with an operation where it is applied. */
function misuse(operation: string, applyTo: string) {
  if (operation === 'ADD' && ignoredFor.has(applyTo)) return 'EnvoyFilterUsesAddOperationIncorrectly';
  if (operation === 'REMOVE' && ignoredFor.has(applyTo)) return 'EnvoyFilterUsesRemoveOperationIncorrectly';
  if (operation === 'REPLACE' && !replaceable.has(applyTo)) return 'EnvoyFilterUsesReplaceOperationIncorrectly';
  return undefined;
}

/** @param versioned names that a patch for one proxy version only is about; grows */
function checkFilter(object: ConfigObject, versioned: Set<string>, report: Report): void {
  const spec = fieldsOf(object.spec);
  const hasPriority = typeof spec['priority'] === 'number' && spec['priority'] !== 0;
  const told = new Set<string>();
  itemsOf(spec['configPatches']).forEach((patch, i) => {
    const operation = textOf(fieldsOf(patch['patch'])['operation']);
    const applyTo = textOf(patch['applyTo']);
    const path = `spec.configPatches[${i}].patch.operation`;
    const name = nameOf(patch);
    const wrong = misuse(operation, applyTo);
    if (wrong) report(wrong, object, { applyTo }, path);
    else if (relative.has(operation) && !hasPriority) {
      const message = versioned.has(name)
        ? 'EnvoyFilterUsesRelativeOperationWithProxyVersion'
        : 'EnvoyFilterUsesRelativeOperation';
      // The priority is the whole filter's: one finding of a kind says all there is to do.
      if (!told.has(message)) report(message, object, { operation }, path);
      told.add(message);
    }
    if (textOf(fieldsOf(fieldsOf(patch['match'])['proxy'])['proxyVersion'])) versioned.add(name);
  });
}

export const envoyfilterEnvoyPatch: Analyzer = {
  name: 'envoyfilter.EnvoyPatchAnalyzer',
  description: 'Patches of EnvoyFilters that are ignored, or depend on what other patches do first.',
  scope: 'object',
  analyze(catalogue, report) {
    const versioned = new Set<string>();
    for (const object of catalogue.all(kinds.envoyFilter)) checkFilter(object, versioned, report);
  },
};
