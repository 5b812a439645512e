import type { Dispatcher, RunningPolicy } from '@seine/mixer';
import type { LogSink } from './log-sink.js';

/**
 * Hands what proxies log to the adapters of the rules that are about it. Instances are made at once; adapters get them soon
 * after, with others of their kind.
 * @param policy the rules as they are now; undefined while nobody knows them
 */
export function reportSink(policy: () => RunningPolicy | undefined, dispatcher: Dispatcher): LogSink {
  return ({ attributes }) => {
    const running = policy();
    if (!running) return;
    for (const dispatch of dispatcher.resolveReport(running.policy, attributes)) running.report(dispatch, attributes);
  };
}
