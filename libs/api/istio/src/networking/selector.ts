import type { CelRule } from '@seine/k8s';
import { message, type Of, text, textMap } from '../schema.js';

const noWildcard: CelRule = { rule: "!self.contains('*')", message: 'wildcard is not supported in selector' };

export const WorkloadSelectorSchema = message('Workloads by labels, in the namespace of the resource.', {
  labels: textMap('Labels that the workloads have, all of them. None selects all workloads of the namespace.', {
    maxProperties: 256,
    of: { maxLength: 63, rules: [noWildcard] },
  }),
});
export const LabelSelectorSchema = message('Workloads by labels, in the namespace of the resource.', {
  matchLabels: textMap('Labels that the workloads have, all of them. None selects all workloads of the namespace.', {
    maxProperties: 4096,
    of: { maxLength: 63, rules: [{ ...noWildcard, message: 'wildcard not allowed in label value match' }] },
    rules: [
      { rule: "self.all(key, !key.contains('*'))", message: 'wildcard not allowed in label key match' },
      { rule: 'self.all(key, size(key) > 0)', message: 'key must not be empty' },
    ],
  }),
});
export const PolicyTargetReferenceSchema = message(
  'A resource that the policy is attached to.',
  {
    group: text('API group of the resource; empty for the core group.', {
      maxLength: 253,
      pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    }),
    kind: text('Kind of the resource, as Gateway, Service or ServiceEntry.', {
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
    }),
    name: text('Name of the resource.', { minLength: 1, maxLength: 253 }),
    namespace: text('Namespace of the resource; only that of the policy, so leave it out.', {
      rules: [{ rule: 'size(self) == 0', message: 'cross namespace referencing is not currently supported' }],
    }),
  },
  { required: ['kind', 'name'] },
);

export type WorkloadSelector = Of<typeof WorkloadSelectorSchema>;
export type LabelSelector = Of<typeof LabelSelectorSchema>;
export type PolicyTargetReference = Of<typeof PolicyTargetReferenceSchema>;
