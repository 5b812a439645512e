import { X509Certificate } from 'node:crypto';

/** A SPIFFE bundle as its endpoint serves it: a JWKS (SPIFFE Trust Domain and Bundle, 4). */
export interface SpiffeBundle {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  readonly spiffe_sequence: number;
  /** Seconds. */
  readonly spiffe_refresh_hint: number;
}

/**
 * @param roots PEM
 * @param sequence rises with each change of the roots
 * @param refreshHint seconds after which to look again
 */
export function formatBundle(roots: readonly string[], sequence: number, refreshHint: number): SpiffeBundle {
  return {
    keys: roots.map((pem) => {
      const root = new X509Certificate(pem);
      // X509-SVID, 6: one certificate a key, and no kid.
      return { use: 'x509-svid', ...root.publicKey.export({ format: 'jwk' }), x5c: [root.raw.toString('base64')] };
    }),
    spiffe_sequence: sequence,
    spiffe_refresh_hint: refreshHint,
  };
}

export interface ParsedBundle {
  /** PEM. */
  readonly roots: readonly string[];
  /** 0 where the bundle has none. */
  readonly sequence: number;
  /** Seconds; 0 where the bundle says nothing. */
  readonly refreshHint: number;
}

function numberOr0(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

/**
 * The X.509 roots of a bundle; keys of other uses are passed over.
 * @returns PEM certificates, or what is wrong with the bundle
 */
export function parseBundle(text: string): ParsedBundle | { readonly error: string } {
  try {
    const bundle = JSON.parse(text) as Partial<Record<keyof SpiffeBundle, unknown>>;
    const { keys } = bundle;
    if (!Array.isArray(keys)) return { error: 'a SPIFFE bundle has a list of keys' };
    const x509 = (keys as { readonly use?: unknown; readonly x5c?: unknown }[]).filter(
      ({ use }) => use === 'x509-svid',
    );
    return {
      roots: x509.map(({ x5c }) => readRoot(x5c)),
      sequence: numberOr0(bundle.spiffe_sequence),
      refreshHint: numberOr0(bundle.spiffe_refresh_hint),
    };
  } catch (error) {
    return { error: `not a SPIFFE bundle: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readRoot(x5c: unknown): string {
  const [only, ...more] = Array.isArray(x5c) ? (x5c as unknown[]) : [];
  if (typeof only !== 'string' || more.length > 0) throw new Error('a key of use x509-svid has one certificate in x5c');
  const root = new X509Certificate(Buffer.from(only, 'base64'));
  if (!root.ca) throw new Error('a certificate of the bundle is no authority');
  return root.toString();
}
