import { X509Certificate } from 'node:crypto';
import { splitCertificates } from '@seine/ca';

/**
 * Reads the file of trusted roots. A file that is half written, or broken, must not take the good roots away: then the
 * caller keeps those it has.
 * @param text PEM
 * @returns the roots, or what is wrong
 */
export function readTrustedRoots(text: string): { readonly roots: readonly string[] } | { readonly error: string } {
  try {
    const roots = splitCertificates(text);
    if (roots.length === 0) return { error: 'holds no certificate in PEM' };
    const stranger = roots.findIndex((root) => !new X509Certificate(root).ca);
    return stranger < 0 ? { roots } : { error: `certificate ${stranger + 1} is no authority (basicConstraints CA)` };
  } catch {
    return { error: 'holds a certificate that cannot be read' };
  }
}
