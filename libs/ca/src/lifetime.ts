/** Lifetimes of leaves in seconds. */
export interface LifetimeLimits {
  readonly fallback: number;
  readonly maximum: number;
}

/** Istio's: 24 hours (DEFAULT_WORKLOAD_CERT_TTL), 90 days at most (MAX_WORKLOAD_CERT_TTL). */
export const defaultLifetimes: LifetimeLimits = Object.freeze({ fallback: 86_400, maximum: 7_776_000 });

/**
 * The lifetime to issue for: the fallback where none, or nonsense, was asked for; more than the maximum is an error
 * and not cut down in silence, as the caller would renew too late.
 * @param asked seconds, as in `CreateCertificate.validity_duration`
 */
export function grantLifetime(
  asked: number,
  { fallback, maximum }: LifetimeLimits,
): { readonly seconds: number } | { readonly error: string } {
  if (!Number.isFinite(asked) || asked <= 0) return { seconds: Math.min(fallback, maximum) };
  if (asked > maximum) return { error: `a lifetime of ${asked} s is longer than the maximum of ${maximum} s` };
  return { seconds: asked };
}

/**
 * When to renew: at half of the lifetime, spread by up to one hundredth of it either way, so that a thousand agents
 * that started together do not ask together (Istio: SECRET_GRACE_PERIOD_RATIO 0.5 ± 0.01).
 * @param random in [0, 1)
 * @returns milliseconds since 1970
 */
export function renewalTime(issuedAt: number, notAfter: number, random: number): number {
  return issuedAt + (notAfter - issuedAt) * (0.5 + (random - 0.5) * 0.02);
}
