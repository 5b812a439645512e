import { X509Certificate } from 'node:crypto';
import { splitCertificates } from './pem.js';
import { readSigner, type Signer, type SigningFiles } from './signer.js';

/** What signs, with the root it leads to (and others of the plugged-in root-cert.pem): PEM, as in Istio's `cacerts`. */
export interface RootGeneration extends Omit<SigningFiles, 'roots'> {
  readonly root: string;
}

/** A root that signs no more, and is trusted until the last of its leaves has ended. */
export interface RetiringRoot {
  readonly root: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * What an authority signs with and trusts. A rotation goes prepare → (spread) → activate → (longest leaf life) → retire,
 * and at each moment whoever holds a certificate is believed by whoever has the bundle of this moment or the one before.
 */
export interface AuthorityState {
  /** Rises with each change of the trusted roots. */
  readonly sequence: number;
  readonly active: RootGeneration;
  /** Trusted already, and signs nothing yet. */
  readonly prepared?: {
    readonly generation: RootGeneration;
    /** Milliseconds since 1970. */
    readonly since: number;
    /** Goes on to be activated by itself as soon as it may. */
    readonly auto: boolean;
  };
  readonly retiring: readonly RetiringRoot[];
}

export type StepOutcome = { readonly state: AuthorityState } | { readonly refusal: string };

/** What is known of who has the bundle of now. */
export interface Spread {
  /** Milliseconds that any reader of the bundle needs to look again. */
  readonly waitMs: number;
  /** Followers that are connected and have not acknowledged it. */
  readonly behind: readonly string[];
}

export function firstState({ roots, ...files }: SigningFiles): AuthorityState {
  return { sequence: 1, active: { ...files, root: roots }, retiring: [] };
}

/** All roots that are trusted, PEM, the oldest first: so that the list is the same before and after another one signs. */
export function trustedRoots({ active, prepared, retiring }: AuthorityState): readonly string[] {
  const all = [...retiring.map(({ root }) => root), active.root, ...(prepared ? [prepared.generation.root] : [])];
  return [...new Map(all.flatMap(splitCertificates).map((pem) => [fingerprintOf(pem), pem])).values()];
}

/** @throws SigningFilesError */
export function readActiveSigner(state: AuthorityState, now: number): Signer {
  const { root, ...files } = state.active;
  return readSigner({ ...files, roots: root }, now);
}

export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** Has a new root trusted everywhere before anything is signed with it. */
export function prepareRoot(
  state: AuthorityState,
  generation: RootGeneration,
  { now, auto = false }: { readonly now: number; readonly auto?: boolean },
): StepOutcome {
  if (state.prepared) return { refusal: `a rotation is under way already: ${describeNext(state)}` };
  const trusted = new Set(trustedRoots(state).map(fingerprintOf));
  if (splitCertificates(generation.root).every((pem) => trusted.has(fingerprintOf(pem))))
    return { refusal: 'this root is trusted already' };
  return { state: { ...state, sequence: state.sequence + 1, prepared: { generation, since: now, auto } } };
}

/** Why the prepared root may not sign yet; undefined when it may. */
export function activationRefusal(state: AuthorityState, now: number, spread: Spread): string | undefined {
  if (!state.prepared) return 'no root is prepared';
  const missing = state.prepared.since + spread.waitMs - now;
  if (missing > 0)
    return `the new root was prepared ${seconds(now - state.prepared.since)} ago; whoever reads the bundle has it after ${seconds(spread.waitMs)}: wait ${seconds(missing)} more, or force it`;
  if (spread.behind.length > 0)
    return `${spread.behind.length} followers have not acknowledged the new root: ${spread.behind.slice(0, 5).join(', ')}; wait, or force it`;
  return undefined;
}

/** Signs with the prepared root from now on; the old one stays trusted until the last leaf that it signed has ended. */
export function activateRoot(
  state: AuthorityState,
  options: { readonly now: number; readonly spread: Spread; readonly force: boolean; readonly longestLeafMs: number },
): StepOutcome {
  const { now, spread, force, longestLeafMs } = options;
  const refusal = activationRefusal(state, now, spread);
  if (!state.prepared || (refusal !== undefined && !force)) return { refusal: refusal ?? 'no root is prepared' };
  const { prepared, ...rest } = state;
  const retired = { root: state.active.root, until: now + longestLeafMs };
  // The trusted roots are the same as before: only who signs is another.
  return { state: { ...rest, active: prepared.generation, retiring: [...state.retiring, retired] } };
}

/** Trusts old roots no more whose last leaf has ended; all of them by force. */
export function retireRoots(
  state: AuthorityState,
  { now, force }: { readonly now: number; readonly force: boolean },
): StepOutcome {
  if (state.retiring.length === 0) return { refusal: 'no old root is there to retire' };
  const kept = force ? [] : state.retiring.filter(({ until }) => until > now);
  if (kept.length === state.retiring.length) {
    const due = Math.min(...kept.map(({ until }) => until));
    return {
      refusal: `certificates of the old root may be in force until ${new Date(due).toISOString()}: wait ${seconds(due - now)} more, or force it`,
    };
  }
  return { state: { ...state, sequence: state.sequence + 1, retiring: kept } };
}

/** Gives up a prepared root; nothing has been signed with it. */
export function cancelRotation(state: AuthorityState): StepOutcome {
  if (!state.prepared) return { refusal: 'no root is prepared' };
  return { state: { active: state.active, retiring: state.retiring, sequence: state.sequence + 1 } };
}

/** What is due by itself: a rotation that was asked to go on does, and roots that nobody needs are dropped. */
export function advanceRotation(
  state: AuthorityState,
  options: { readonly now: number; readonly spread: Spread; readonly longestLeafMs: number },
): AuthorityState {
  const activated = state.prepared?.auto ? activateRoot(state, { ...options, force: false }) : undefined;
  const after = activated && 'state' in activated ? activated.state : state;
  const retired = after.retiring.length > 0 ? retireRoots(after, { now: options.now, force: false }) : undefined;
  return retired && 'state' in retired ? retired.state : after;
}

export type RotationPhase = 'stable' | 'prepared' | 'activated';

export function phaseOf({ prepared, retiring }: AuthorityState): RotationPhase {
  if (prepared) return 'prepared';
  return retiring.length > 0 ? 'activated' : 'stable';
}

function describeNext(state: AuthorityState): string {
  const since = state.prepared ? new Date(state.prepared.since).toISOString() : '';
  return `a new root was prepared at ${since}; activate or cancel it`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}
