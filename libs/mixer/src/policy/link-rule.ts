import type { Diagnostic } from '@seine/diagnostics';
import { nearMatch } from '@seine/istio';
import { compileBindings } from './compile-bindings.js';
import { type CompiledHandler, kubernetesAdapter } from './compile-handler.js';
import type { CompiledRule } from './compile-rule.js';
import { candidates } from './names.js';
import type { DerivedAttribute, PolicyInstance, PolicyRule } from './policy.js';
import type { PolicyParts } from './policy-parts.js';
import { Problems } from './problems.js';

/** A rule whose references are followed; those that lead nowhere are left out. */
export interface LinkedRule {
  readonly draft: Omit<PolicyRule, 'actions'> | undefined;
  readonly actions: readonly {
    /** Full name. */
    readonly handler: string;
    readonly instances: readonly PolicyInstance[];
    readonly name: string | undefined;
  }[];
  readonly derived: readonly DerivedAttribute[];
  readonly problems: readonly Diagnostic[];
}

export function linkRule({ source, draft, actions }: CompiledRule, parts: PolicyParts): LinkedRule {
  if (!draft) return { draft, actions: [], derived: [], problems: [] };
  const linker = new Linker(draft, new Problems(source), parts);
  const linked = actions.flatMap((action, i) => linker.action(action, `spec.actions[${i}]`));
  return { draft, actions: linked, derived: linker.derived, problems: linker.problems.found };
}

class Linker {
  readonly derived: DerivedAttribute[] = [];

  constructor(
    private readonly rule: NonNullable<CompiledRule['draft']>,
    readonly problems: Problems,
    private readonly parts: PolicyParts,
  ) {}

  action(
    { handler: reference, instances, name }: CompiledRule['actions'][number],
    path: string,
  ): LinkedRule['actions'] {
    const handler = this.#find('handler', reference, this.parts.handlers, `${path}.handler`);
    if (!handler) return [];
    if (!handler.usable) {
      this.problems.error(`${path}.handler`, `${handler.name} cannot be used: see what is wrong with it`, 'IST0101');
      return [];
    }
    if (instances.length === 0)
      this.problems.warning(`${path}.instances`, `hands nothing to ${handler.name}, so nothing is done`);
    const found = instances.flatMap((one, i) => this.#instance(one, handler, `${path}.instances[${i}]`));
    return found.length > 0 ? [{ handler: handler.name, instances: found, name }] : [];
  }

  #instance(reference: string, handler: CompiledHandler, path: string): readonly PolicyInstance[] {
    const found = this.#find('instance', reference, this.parts.instances, path);
    if (!found) return [];
    const { instance, template, name, source } = found;
    if (handler.adapter === kubernetesAdapter) {
      const { attributes, problems } = compileBindings(source, this.parts.context.vocabulary);
      this.problems.found.push(...problems);
      const { namespace, match } = this.rule;
      this.derived.push(...attributes.map((one) => ({ ...one, namespace, match })));
      return [];
    }
    if (!instance) {
      this.problems.error(path, `${name} cannot be used: see what is wrong with it`, 'IST0101');
      return [];
    }
    if (handler.kind && !(handler.kind.templates as readonly string[]).includes(template)) {
      const { templates } = handler.kind;
      this.problems.error(path, `is of the template ${template}, and ${handler.adapter} takes ${templates.join(', ')}`);
      return [];
    }
    return [instance];
  }

  #find<T>(
    kind: 'handler' | 'instance',
    reference: string,
    among: ReadonlyMap<string, T>,
    path: string,
  ): T | undefined {
    const names = candidates(reference, kind, this.rule.namespace);
    for (const name of names) {
      const found = among.get(name);
      if (found) return found;
    }
    const shortName = (name: string): string => name.split('.', 1)[0] ?? '';
    const near = nearMatch(shortName(reference), [...among.keys()].map(shortName));
    const full = [...among.keys()].find((name) => shortName(name) === near);
    const hint = full === undefined ? '' : `; did you mean ${full}?`;
    this.problems.error(path, `there is no ${kind} ${JSON.stringify(reference)}${hint}`, 'IST0101');
    return undefined;
  }
}
