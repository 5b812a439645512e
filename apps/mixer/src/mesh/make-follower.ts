import { Logger } from '@nestjs/common';
import type { AdapterKind } from '@seine/mixer';
import type { Store } from '@seine/ports';
import type { Registry } from 'prom-client';
import { MeshFollower } from './mesh-follower.js';
import { PolicyMetrics } from './policy.metrics.js';

/** One warning of a handler in so long, ms: what fails, fails often. */
const quietMs = 60_000;

/** A follower that logs and counts as mixer does. @param store undefined = there is no mesh */
export function makeFollower(
  store: Store | undefined,
  adapters: readonly AdapterKind[],
  registry: Registry,
): MeshFollower {
  const logger = new Logger('mixer');
  const metrics = new PolicyMetrics(registry);
  const told = new Map<string, number>();
  return new MeshFollower({
    store,
    adapters,
    onProblem: (message) => logger.warn(message, 'rules'),
    onError: (error) => logger.error(error),
    onPolicy: metrics.policy,
    events: {
      ...metrics.events,
      warned: (handler, message) => {
        const now = Date.now();
        if (now - (told.get(handler) ?? 0) < quietMs) return;
        told.set(handler, now);
        logger.warn(`${handler}: ${message}`, 'handlers');
      },
      handlerClosed: (handler, adapter, ok) => {
        told.delete(handler);
        metrics.events.handlerClosed?.(handler, adapter, ok);
      },
    },
  });
}
