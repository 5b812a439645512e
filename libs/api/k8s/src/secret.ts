import { Buffer } from 'node:buffer';
import type { ConfigObject } from './object.js';

/** A Secret of the core group; its values are in `data` (base64) or `stringData` (as they are). */
export interface Secret extends ConfigObject {
  readonly kind: 'Secret';
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
  readonly stringData?: Readonly<Record<string, string>> | undefined;
}

/** A certificate with what belongs to it, PEM each. */
export interface KeyPair {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** An OCSP response, DER. */
  readonly staple?: Buffer | undefined;
}

/** What peers are verified with, PEM each. */
export interface Authority {
  readonly certificates: Buffer;
  readonly revocations?: Buffer | undefined;
}

/** Names of values: those of `kubectl create secret generic` as Istio's docs use them first, then those of type `kubernetes.io/tls`. */
export const secretKeys = {
  generic: { certificate: 'cert', key: 'key', authority: 'cacert', revocations: 'crl' },
  tls: {
    certificate: 'tls.crt',
    key: 'tls.key',
    authority: 'ca.crt',
    revocations: 'ca.crl',
    staple: 'tls.ocsp-staple',
  },
} as const;

/** Large Secrets of other programs, in which no proxy's certificate ever is (Istio leaves out the same). */
const otherTypes: ReadonlySet<string> = new Set(['helm.sh/release.v1', 'kubernetes.io/service-account-token']);

/** Whether an object is a Secret that may hold a proxy's certificate. */
export function mayHoldCertificates(object: ConfigObject): object is Secret {
  return object.apiVersion === 'v1' && object.kind === 'Secret' && !otherTypes.has((object as Secret).type ?? '');
}

/** One value; `stringData` goes before `data`, as the API server merges them. Undefined: absent or empty. */
export function secretValue({ data, stringData }: Secret, key: string): Buffer | undefined {
  const plain = stringData?.[key];
  const bytes = plain === undefined ? Buffer.from(data?.[key] ?? '', 'base64') : Buffer.from(plain, 'utf8');
  return bytes.length > 0 ? bytes : undefined;
}

/** Whether a value looks like PEM. What does was checked whole when the Secret was read; what does not is of another program. */
export function isPem(value: Buffer | undefined): boolean {
  return value?.subarray(0, 4096).includes('-----BEGIN ') ?? false;
}

/** The certificate and key that a proxy shows; undefined where the Secret lacks one of them. */
export function readKeyPair(secret: Secret): KeyPair | undefined {
  for (const names of [secretKeys.generic, secretKeys.tls]) {
    const certificate = secretValue(secret, names.certificate);
    const key = secretValue(secret, names.key);
    if (certificate && key) {
      const staple = 'staple' in names ? secretValue(secret, names.staple) : undefined;
      return { certificate, key, staple };
    }
  }
  return undefined;
}

/** What a proxy verifies its peers with; undefined where the Secret has no CA certificate. */
export function readAuthority(secret: Secret): Authority | undefined {
  for (const names of [secretKeys.generic, secretKeys.tls]) {
    const certificates = secretValue(secret, names.authority);
    if (certificates) return { certificates, revocations: secretValue(secret, names.revocations) };
  }
  return undefined;
}

/** The names of the values that a Secret has, for messages: never the values themselves. */
export function valueNames({ data, stringData }: Secret): readonly string[] {
  return [...new Set([...Object.keys(data ?? {}), ...Object.keys(stringData ?? {})])].sort();
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function hidden(values: Readonly<Record<string, string>>, size: (value: string) => number): Record<string, string> {
  // Not base64, so that what was shown cannot be applied by mistake.
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, `(hidden, ${size(value)} bytes)`]));
}

/** An object as it may be shown to anybody: the values of a Secret left out, and the copy of them that kubectl keeps. */
export function withoutSecretValues(object: ConfigObject): ConfigObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { data, stringData, ...rest } = object as Secret;
  const { annotations } = object.metadata;
  const shown = Object.entries(annotations ?? {}).filter(([key]) => key !== lastApplied);
  return {
    ...rest,
    metadata: { ...object.metadata, ...(annotations && { annotations: Object.fromEntries(shown) }) },
    ...(data && { data: hidden(data, (value) => Buffer.from(value, 'base64').length) }),
    ...(stringData && { stringData: hidden(stringData, (value) => Buffer.byteLength(value)) }),
  };
}

/** Whether a YAML or JSON text, readable or not, seems to hold a Secret: then nothing of it may be repeated. */
export function seemsSecret(text: string): boolean {
  return /["']?\bkind["']?\s*:\s*["']?Secret\b/.test(text);
}
