import type { ActionOutputs, AttributeBag, HeaderOperation, PolicyRule } from '@seine/mixer';
import type { HeaderChanges, HeaderValue } from './answers.js';

/**
 * What the rules that hold change of headers. A value that is not known or empty is left out, as in Istio 1.4.
 * @param outputsOf what adapters gave for the actions of a rule
 * @returns undefined where nothing changes
 */
export function headerChanges(
  rules: readonly PolicyRule[],
  bag: AttributeBag,
  outputsOf: (rule: PolicyRule) => ActionOutputs,
): HeaderChanges | undefined {
  const request: HeaderValue[] = [];
  const requestRemoved: string[] = [];
  const response: HeaderValue[] = [];
  for (const rule of rules) {
    const valuesOf = ({ name, values, operation }: HeaderOperation): readonly HeaderValue[] =>
      values
        .map((value) => value(bag, outputsOf(rule)) ?? '')
        .filter((value) => value !== '')
        .map((value) => ({ name, value, append: operation === 'APPEND' }));
    for (const operation of rule.requestHeaders) {
      if (operation.operation === 'REMOVE') requestRemoved.push(operation.name);
      else request.push(...valuesOf(operation));
    }
    // Envoy lets no authorization service take a header from a response (see docs/features/mixer-check.md).
    for (const operation of rule.responseHeaders)
      if (operation.operation !== 'REMOVE') response.push(...valuesOf(operation));
  }
  if (request.length + requestRemoved.length + response.length === 0) return undefined;
  return { request, requestRemoved, response };
}
