import { atMostOne, described, list } from '../schema.js';
import { LabelSelectorSchema, PolicyTargetReferenceSchema } from './selector.js';

export const targetRefs = list(PolicyTargetReferenceSchema, 'Resources that the policy is attached to.', {
  maxItems: 16,
});

/** What a policy applies to: workloads by labels, or resources by name; the namespace when neither is given. */
export const policyTarget = {
  selector: described(LabelSelectorSchema, 'Workloads that it applies to, by labels; all when absent.'),
  targetRef: described(PolicyTargetReferenceSchema, 'Deprecated: use targetRefs.'),
  targetRefs,
};

export const oneTarget = atMostOne(
  'only one of targetRefs or selector can be set',
  'selector',
  'targetRef',
  'targetRefs',
);
