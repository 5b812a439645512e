import type { AttributeBag, Value } from '../attributes/value-type.js';
import type { MixerPolicy } from '../policy/policy.js';

/**
 * A bag with the attributes that a policy makes of others (`attributeBindings`), where it has them not itself.
 * @returns the same bag where the policy makes none
 */
export function withDerived({ derived }: MixerPolicy, bag: AttributeBag, rootNamespace: string): AttributeBag {
  if (derived.length === 0) return bag;
  const side = bag.get('context.reporter.kind') === 'outbound' ? 'source.namespace' : 'destination.namespace';
  const namespace = bag.get(side);
  return {
    get: (name): Value | undefined => {
      const known = bag.get(name);
      if (known !== undefined) return known;
      for (const one of derived) {
        if (one.attribute !== name || (one.namespace !== rootNamespace && one.namespace !== namespace)) continue;
        if (one.match && one.match.evaluate(bag) !== true) continue;
        const value = one.value.evaluate(bag);
        if (value !== undefined) return value;
      }
      return undefined;
    },
  };
}
