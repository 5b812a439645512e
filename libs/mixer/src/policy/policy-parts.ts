import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import type { Vocabulary } from '../attributes/value-type.js';
import { type AdapterCatalog, compileHandler, type CompiledHandler, isHandlerObject } from './compile-handler.js';
import { compileInstance, type CompiledInstance, isInstanceObject } from './compile-instance.js';
import { compileRule, type CompiledRule } from './compile-rule.js';
import { fullName } from './names.js';
import type { MixerPolicy } from './policy.js';
import type { PolicyObjects } from './policy-objects.js';

export interface PartsContext {
  readonly vocabulary: Vocabulary;
  readonly catalog: AdapterCatalog | undefined;
  /** By full name, what was good of an object that may not be any more. */
  readonly before: ReadonlyMap<string, ConfigObject>;
}

/** Which objects a policy was made of, for the next one: what was good of an object that is not any more. */
const sources = new WeakMap<MixerPolicy, ReadonlyMap<string, ConfigObject>>();

export function sourcesOf(policy: MixerPolicy | undefined): ReadonlyMap<string, ConfigObject> {
  return (policy && sources.get(policy)) ?? new Map<string, ConfigObject>();
}

export function rememberSources(policy: MixerPolicy, parts: PolicyParts): void {
  sources.set(policy, parts.good);
}

/** What the objects are by themselves; an object that is not right any more is what it was. */
export class PolicyParts {
  readonly handlers = new Map<string, CompiledHandler>();
  readonly instances = new Map<string, CompiledInstance>();
  /** In order of full name. */
  readonly rules: CompiledRule[] = [];
  readonly problems: Diagnostic[] = [];
  /** By full name, the object that each part was made of. */
  readonly good = new Map<string, ConfigObject>();

  constructor(
    objects: PolicyObjects,
    readonly context: PartsContext,
  ) {
    for (const object of objects) this.good.set(fullName(object), object);
    for (const object of objects) this.#take(object);
    this.rules.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #take(object: ConfigObject): void {
    const { vocabulary, catalog } = this.context;
    if (isHandlerObject(object)) {
      const compile = (one: ConfigObject): CompiledHandler => compileHandler(one, catalog);
      this.handlers.set(
        fullName(object),
        this.#bestOf(object, compile, ({ usable }) => usable),
      );
    } else if (isInstanceObject(object)) {
      const compile = (one: ConfigObject): CompiledInstance => compileInstance(one, vocabulary);
      const usable = ({ instance, template }: CompiledInstance): boolean => !!instance || template === 'kubernetes';
      this.instances.set(fullName(object), this.#bestOf(object, compile, usable));
    } else if (object.kind === 'rule') {
      const compile = (one: ConfigObject): CompiledRule => compileRule(one, vocabulary);
      this.rules.push(this.#bestOf(object, compile, ({ draft }) => draft !== undefined));
    }
  }

  #bestOf<T extends { readonly problems: readonly Diagnostic[] }>(
    object: ConfigObject,
    compile: (object: ConfigObject) => T,
    usable: (part: T) => boolean,
  ): T {
    const name = fullName(object);
    const part = compile(object);
    this.problems.push(...part.problems);
    if (usable(part)) return part;
    this.good.delete(name);
    const before = this.context.before.get(name);
    const kept = before && compile(before);
    if (!before || !kept || !usable(kept)) return part;
    this.good.set(name, before);
    return kept;
  }
}
