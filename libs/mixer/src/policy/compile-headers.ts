import type { RuleHeaderOperation } from '@seine/istio';
import { textOf } from '../attributes/text-of.js';
import type { AttributeBag, Value, ValueType, Vocabulary } from '../attributes/value-type.js';
import type { ActionOutputs, HeaderOperation, HeaderValue } from './policy.js';
import { below, type Problems } from './problems.js';

const written: readonly ValueType[] = ['STRING', 'IP_ADDRESS', 'DNS_NAME', 'EMAIL_ADDRESS', 'URI', 'INT64', 'BOOL'];

/**
 * @param actionNames names of the rule's actions: `name.output.field` is what the adapter gave, as text
 * @param path of the list
 */
export function compileHeaders(
  operations: readonly RuleHeaderOperation[] | undefined,
  actionNames: readonly string[],
  vocabulary: Vocabulary,
  problems: Problems,
  path: string,
): readonly HeaderOperation[] {
  return (operations ?? []).flatMap(({ name = '', values = [], operation = 'REPLACE' }, i): HeaderOperation[] => {
    const at = below(below(path, i), 'values');
    const texts = operation === 'REMOVE' ? [] : values;
    const made = texts.map((text, j) => headerValue(text, actionNames, vocabulary, problems, below(at, j)));
    const whole = made.filter((value) => value !== undefined);
    // A header that gets but some of its values says something else than was written.
    return name !== '' && whole.length === texts.length ? [{ name, values: whole, operation }] : [];
  });
}

function headerValue(
  text: string,
  actionNames: readonly string[],
  vocabulary: Vocabulary,
  problems: Problems,
  path: string,
): HeaderValue | undefined {
  const outputs = new Map<string, readonly [action: string, field: string]>();
  for (const [whole, action = '', field = ''] of text.matchAll(/\b([A-Za-z_]\w*)\.output\.([A-Za-z_]\w*)/g))
    if (actionNames.includes(action)) outputs.set(whole, [action, field]);
  const known =
    outputs.size === 0
      ? vocabulary
      : new Map<string, ValueType>([...vocabulary, ...[...outputs.keys()].map((name) => [name, 'STRING'] as const)]);
  const expression = problems.expression(path, text, known, written);
  if (!expression) return undefined;
  return (bag, given) => {
    const value = expression.evaluate(outputs.size === 0 ? bag : withOutputs(bag, outputs, given));
    return value === undefined ? undefined : headerText(value);
  };
}

function withOutputs(
  bag: AttributeBag,
  names: ReadonlyMap<string, readonly [action: string, field: string]>,
  outputs: ActionOutputs,
): AttributeBag {
  return {
    get: (name) => {
      const output = names.get(name);
      if (!output) return bag.get(name);
      const value = outputs.get(output[0])?.get(output[1]);
      return value === undefined ? undefined : headerText(value);
    },
  };
}

/** What has more than one line is no header: it could end the headers and begin another request. */
function headerText(value: Value): string | undefined {
  const text = textOf(value);
  return /[\r\n\0]/.test(text) ? undefined : text;
}
