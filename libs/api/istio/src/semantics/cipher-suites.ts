/** Suites below TLS 1.3 that Envoy's TLS library knows, by OpenSSL's names; those of 1.3 cannot be chosen. */
const suites: ReadonlySet<string> = new Set([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'AES128-GCM-SHA256',
  'AES128-SHA',
  'AES256-GCM-SHA384',
  'AES256-SHA',
  'DES-CBC3-SHA',
  'ALL',
]);

/** Whether Envoy takes a cipher suite: a known one, or a group of known ones of equal rank (`[A|B]`). */
export function isCipherSuite(name: string): boolean {
  const group = /^\[(.+)\]$/.exec(name)?.[1];
  return group === undefined ? suites.has(name) : group.split('|').every((suite) => suites.has(suite));
}

const curves: ReadonlySet<string> = new Set(['P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768']);

/** Whether Envoy takes a name of an elliptic curve for key agreement (`MeshConfig.tlsDefaults.ecdhCurves`). */
export function isEcdhCurve(name: string): boolean {
  return curves.has(name);
}
