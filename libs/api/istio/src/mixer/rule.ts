import type { ConfigObject } from '@seine/k8s';
import { choice, duration, flag, integer, list, message, type Of, text, texts, uint32 } from '../schema.js';

/** `config.istio.io/v1alpha2` rule. */

const HeaderOperationSchema = message('A change of one header.', {
  name: text('Name of the header.'),
  values: texts('Its values, each an expression; `name.output.field` is what the action of that name gave.'),
  operation: choice(['REPLACE', 'REMOVE', 'APPEND'], 'Whether the values replace those that are there.', {
    fallback: 'REPLACE',
  }),
});

const SamplingSchema = message('Which reports are handed on; those that all conditions take.', {
  random: message('A share of them.', {
    attributeExpression: text(
      'What is drawn by: the same value always with the same result; `request.id` when absent.',
    ),
    percentSampled: message('The share.', {
      numerator: uint32('So many …'),
      denominator: choice(['HUNDRED', 'TEN_THOUSAND'], '… of a hundred or ten thousand.', { fallback: 'HUNDRED' }),
    }),
    useIndependentRandomness: flag('Each rule draws by itself, instead of all alike for the same value.'),
  }),
  rateLimit: message('So many in a period.', {
    samplingDuration: duration('The period.'),
    maxUnsampledEntries: integer('So many are handed on in each period …', { minimum: 0 }),
    samplingRate: integer('… and then every so-manieth; none when absent.', { minimum: 0 }),
  }),
});

export const MixerRuleSchema = message('What is done about requests: which instances go to which handlers.', {
  match: text('Expression that says which requests; all when absent.'),
  actions: list(
    message('Instances for one handler.', {
      handler: text('`name`, `name.namespace`, or, of an old kind, `name.kind` or `name.kind.namespace`.'),
      instances: texts('Instances, named as handlers are.'),
      name: text('By which header operations refer to what the handler’s adapter gives.'),
    }),
    'What is done, in this order.',
  ),
  requestHeaderOperations: list(HeaderOperationSchema, 'Changes of the request’s headers, where it may go on.'),
  responseHeaderOperations: list(HeaderOperationSchema, 'Changes of the response’s headers.'),
  sampling: SamplingSchema,
});

export type MixerRuleSpec = Of<typeof MixerRuleSchema>;
export type RuleHeaderOperation = Of<typeof HeaderOperationSchema>;
export type RuleSampling = Of<typeof SamplingSchema>;
export type MixerRule = ConfigObject<MixerRuleSpec> & { readonly kind: 'rule' };
