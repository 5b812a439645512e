import { createPublicKey } from 'node:crypto';

/**
 * JSON Web Key Sets (RFC 7517) of those who issue tokens. Only public keys may stand in one: whoever reads it could
 * make tokens with any other.
 */

/** A public key, cut down to what is needed to check tokens (RFC 7518 section 6, RFC 8037). */
export type PublicKey = Readonly<Record<string, string>>;

export interface KeyProblem {
  /** Which key; absent: the set as a whole. */
  readonly index?: number;
  /** What is wrong with it, as the rest of a sentence. */
  readonly message: string;
  /** A key that is right by itself and of a kind that Envoy checks no tokens with. */
  readonly unusable?: boolean;
}

export interface ReadKeySet {
  readonly keys: readonly PublicKey[];
  readonly problems: readonly KeyProblem[];
}

/** Members of a key type: those that a public key must have, and curves that Envoy knows. */
const keyTypes: Readonly<Record<string, { readonly members: readonly string[]; readonly curves?: readonly string[] }>> =
  {
    RSA: { members: ['n', 'e'] },
    EC: { members: ['crv', 'x', 'y'], curves: ['P-256', 'P-384', 'P-521'] },
    OKP: { members: ['crv', 'x'], curves: ['Ed25519'] },
  };
const algorithmOfCurve: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };
/** Of private keys (RFC 7518, 6.2.2 and 6.3.2). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];
const described = ['kid', 'alg', 'use'];
const base64url = /^[A-Za-z0-9_-]+={0,2}$/;

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const secret = (message: string): string => `${message}: whoever can read it could make tokens with it`;

/** What is wrong with a key. */
function problemOf(key: unknown): Omit<KeyProblem, 'index'> | undefined {
  if (!isObject(key) || typeof key['kty'] !== 'string') return { message: 'has no type ("kty")' };
  const type = key['kty'];
  if (type === 'oct') return { message: secret('is symmetric ("oct")') };
  if (privateMembers.some((member) => member in key)) return { message: secret('is a private key') };
  if (!Object.hasOwn(keyTypes, type))
    return { message: `has the type ${JSON.stringify(type)}, none of RSA, EC and OKP` };
  return membersProblem(key, type) ?? usabilityProblem(key);
}

function membersProblem(key: Members, type: string): { readonly message: string } | undefined {
  for (const member of keyTypes[type]?.members ?? []) {
    const value = key[member];
    if (typeof value !== 'string' || value === '')
      return { message: `of type ${type} has no ${JSON.stringify(member)}` };
    if (member !== 'crv' && !base64url.test(value))
      return { message: `has a ${JSON.stringify(member)} that is not base64url` };
  }
  return undefined;
}

function usabilityProblem(key: Members): Omit<KeyProblem, 'index'> | undefined {
  const curves = keyTypes[String(key['kty'])]?.curves;
  const curve = key['crv'];
  if (curves && !curves.includes(String(curve)))
    return { message: `has the curve ${JSON.stringify(curve)}, none of ${curves.join(', ')}`, unusable: true };
  if (!fitsAlgorithm(key))
    return { message: `is for the algorithm ${JSON.stringify(key['alg'])}, for which its type is not`, unusable: true };
  return isNumericallyValid(key) ? undefined : { message: 'has numbers that are no key' };
}

/** Algorithms that Envoy takes with a key that says which one it is for (`alg`). */
function fitsAlgorithm({ kty, crv, alg }: Members): boolean {
  if (typeof alg !== 'string' || alg === '') return true;
  if (kty === 'RSA') return /^(RS|PS)/.test(alg);
  return alg === (kty === 'OKP' ? 'EdDSA' : algorithmOfCurve[String(crv)]);
}

/** A point off its curve is no key, nor is an RSA key with an exponent that Envoy (BoringSSL) does not take. */
function isNumericallyValid(key: Members): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: publicKey(key), format: 'jwk' });
    const { publicExponent, modulusLength = 0 } = asymmetricKeyDetails ?? {};
    if (publicExponent === undefined) return true;
    const isExponent = publicExponent > 1n && publicExponent % 2n === 1n && publicExponent < 2n ** 33n;
    return isExponent && modulusLength >= 512 && modulusLength <= 16384;
  } catch {
    return false;
  }
}

function publicKey(key: Members): PublicKey {
  const members = ['kty', ...described, ...(keyTypes[String(key['kty'])]?.members ?? [])];
  return Object.fromEntries(members.flatMap((m) => (typeof key[m] === 'string' ? [[m, key[m]]] : [])));
}

/** Reads a key set: its public keys for signatures, and what is wrong with the rest. Keys for encryption are neither. */
export function readKeySet(text: string): ReadKeySet {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return {
      keys: [],
      problems: [{ message: `is not JSON: ${error instanceof Error ? error.message : String(error)}` }],
    };
  }
  const list = isObject(parsed) ? parsed['keys'] : undefined;
  if (!Array.isArray(list))
    return { keys: [], problems: [{ message: 'is not a JSON Web Key Set: it has no list "keys"' }] };
  const keys: PublicKey[] = [];
  const problems: KeyProblem[] = [];
  list.forEach((key: unknown, index) => {
    const problem = problemOf(key);
    if (problem) problems.push({ index, ...problem });
    else if (isObject(key) && (key['use'] === undefined || key['use'] === 'sig')) keys.push(publicKey(key));
  });
  return { keys, problems };
}
