import { parseDuration, type RequestAuthentication } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { keySource } from '@seine/model';

/** One rule whose keys have to be fetched. */
export interface Wanted {
  /** What the keys are found by. */
  readonly source: string;
  readonly jwksUri: string | undefined;
  readonly issuer: string;
  readonly timeoutMs: number;
  readonly resource: RequestAuthentication;
  /** Index in `spec.jwtRules`. */
  readonly rule: number;
}

/** Istio's. */
const defaultTimeoutMs = 5000;
/** No rule waits longer: what it holds is one of the places for fetches that are under way. */
const longestTimeoutMs = 60_000;

/** The rules of a mesh whose keys have to be fetched. */
export function wantedKeys(resources: ReadonlyMap<string, readonly ConfigObject[]>): readonly Wanted[] {
  const policies = (resources.get('RequestAuthentication') ?? []) as readonly RequestAuthentication[];
  return policies.flatMap((resource) =>
    (resource.spec.jwtRules ?? []).flatMap((jwtRule, rule) => {
      const { jwksUri, issuer = '', timeout } = jwtRule;
      const source = keySource(jwtRule);
      if (source === undefined) return [];
      const stated = timeout === undefined ? undefined : parseDuration(timeout);
      const timeoutMs = Math.min(longestTimeoutMs, stated ?? defaultTimeoutMs);
      return [{ source, jwksUri: jwksUri || undefined, issuer, timeoutMs, resource, rule }];
    }),
  );
}
