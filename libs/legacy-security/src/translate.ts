import type { Diagnostic } from '@seine/diagnostics';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { translateAuthentication } from './authentication/translate-authentication.js';
import { DerivedObjects } from './derived.js';
import { Inputs, isLegacySecurity, type LegacySecurityOptions } from './input.js';
import { Messages } from './messages.js';
import { translateRbac } from './rbac/translate-rbac.js';

/** What old security objects mean today, and what is to be said of them. */
export interface LegacySecurity {
  /** PeerAuthentications, RequestAuthentications and AuthorizationPolicies. */
  readonly objects: readonly ConfigObject[];
  /** What has no counterpart today: SEINE-LEGACY-SECURITY. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was derived from an object. */
  readonly meaning: (object: ConfigObject) => readonly ConfigObject[];
}

/**
 * Translates objects of `authentication.istio.io` and `rbac.istio.io` into today's API. Pure. Where a meaning cannot be
 * said today, less is allowed than was, and a diagnostic says so.
 * @param objects validated objects; beside the old kinds, Services, Deployments and their like, Gateways and
 * AuthorizationPolicies are read
 */
export function translateLegacySecurity(
  objects: Iterable<ConfigObject>,
  options: LegacySecurityOptions,
): LegacySecurity {
  const all = [...objects];
  const taken = new Set<ObjectKey>(
    all.filter(({ apiVersion }) => apiVersion.startsWith('security.istio.io/')).map(objectKey),
  );
  const derived = new DerivedObjects((key) => taken.has(key));
  const messages = new Messages();
  if (all.some(isLegacySecurity)) {
    const inputs = new Inputs(all, options);
    translateAuthentication(inputs, derived, messages);
    translateRbac(inputs, derived, messages);
  }
  return { objects: derived.all(), diagnostics: messages.all, meaning: (object) => derived.of(object) };
}
