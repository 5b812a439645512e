import { deepEqual, deepFreeze, sameEntries, sameItems } from '@seine/memo';
import type { Endpoint, ServiceEndpoints } from '@seine/model';

/** The earlier value when its content is equal, else the new one, frozen: what keeps compilation from running again. */
export function keepEqual<T extends object>(before: T | undefined, after: T): T {
  return before !== undefined && deepEqual(before, after) ? before : deepFreeze(after);
}

function keepEndpoints(before: readonly Endpoint[] | undefined, after: readonly Endpoint[]): readonly Endpoint[] {
  if (!before) return deepFreeze(after);
  const known = new Map(before.map((endpoint) => [`${endpoint.address}\n${endpoint.port}`, endpoint]));
  const kept = after.map((endpoint) => keepEqual(known.get(`${endpoint.address}\n${endpoint.port}`), endpoint));
  return sameItems(before, kept) ? before : Object.freeze(kept);
}

/** As `keepEqual`, for each endpoint, each port's list, and the whole; undefined when no port has endpoints. */
export function keepServiceEndpoints(
  before: ServiceEndpoints | undefined,
  host: string,
  byPort: ReadonlyMap<number, readonly Endpoint[]>,
): ServiceEndpoints | undefined {
  if (byPort.size === 0) return undefined;
  const kept = new Map([...byPort].map(([port, list]) => [port, keepEndpoints(before?.byPort.get(port), list)]));
  return before && sameEntries(before.byPort, kept) ? before : Object.freeze({ host, byPort: kept });
}
