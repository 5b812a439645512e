import type { AttributeBag } from '../attributes/value-type.js';
import type { CheckDispatch, MixerPolicy, PolicyRule, QuotaDispatch, ReportDispatch } from '../policy/policy.js';

/** Which of a policy's rules are about a request, and which handlers get which instances because of them. */
export interface Dispatcher {
  /** Rules with something to check, or headers to change, whose match holds; those of the root namespace first. */
  rules(policy: MixerPolicy, bag: AttributeBag): readonly PolicyRule[];
  /** What must be asked before the request goes on. */
  resolveCheck(policy: MixerPolicy, bag: AttributeBag): readonly CheckDispatch[];
  /** What is charged, by the QuotaSpecs bound to `destination.service.host`; each instance once. */
  resolveQuota(policy: MixerPolicy, bag: AttributeBag): readonly QuotaDispatch[];
  /** What is told afterwards, as far as the rules' sampling takes it. */
  resolveReport(policy: MixerPolicy, bag: AttributeBag): readonly ReportDispatch[];
}
