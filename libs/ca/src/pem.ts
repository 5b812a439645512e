/** PEM (RFC 7468): blocks of base64 between labelled lines. */

const block = /-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]*?)-----END \1-----/g;

/** The blocks with one of these labels, in their order; others are passed over. */
export function decodePem(text: string, labels: readonly string[]): readonly Buffer[] {
  return [...text.matchAll(block)].flatMap(([, label = '', base64 = '']) =>
    labels.includes(label) ? [Buffer.from(base64, 'base64')] : [],
  );
}

export function encodePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Each certificate of a text as a PEM of its own. */
export function splitCertificates(text: string): readonly string[] {
  return decodePem(text, ['CERTIFICATE']).map((der) => encodePem('CERTIFICATE', der));
}
