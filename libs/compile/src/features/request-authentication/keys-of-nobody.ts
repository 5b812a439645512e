/**
 * What stands in for the keys of an issuer that are not known: Envoy refuses a whole listener whose provider has none, and the
 * tokens of the issuer have to fail. Nobody has the private key of this one, and everybody can see that: it is a point of P-256
 * that was not computed from a private key, but whose x is SHA-256 of "Seine: the key of nobody, 0" (the spec does it again).
 * A key pair whose private part somebody says to have thrown away, or once published, would be a key to every mesh
 * (CVE-2026-31837).
 */
export const keysOfNobody = JSON.stringify({
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      alg: 'ES256',
      kid: 'nobody',
      x: '_2eyPPrBEUgyHOp8E_OO7IikEkTxhQbjksPqkpdas2M',
      y: 'y2YS6aaKdGQ6mTXaT331gx4HCoIUBgvDKkgZLjRa4WI',
    },
  ],
});
