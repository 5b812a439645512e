import { describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { caCertificate, shopCertificate, shopKey } from '@seine/testing';
import { paintFor } from '../output/colour.js';
import { renderTable } from '../output/table.js';
import type { ConfigDump } from './config-dump.js';
import { secretHeader, secretRows, secretsOf } from './secret-rows.js';

const bytes = (text: string) => ({ inline_bytes: Buffer.from(text).toString('base64') });
const certificate = new X509Certificate(shopCertificate);
const from = Date.parse(certificate.validFrom);
const authority = new X509Certificate(caCertificate);

/** What Envoy answers; it takes keys out, but an older one or a proxy between might not. */
const dump = {
  configs: [
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump',
      dynamic_active_secrets: [
        {
          name: 'default',
          last_updated: '2026-01-01T00:00:00Z',
          secret: {
            name: 'default',
            tls_certificate: { certificate_chain: bytes(shopCertificate + caCertificate), private_key: bytes(shopKey) },
          },
        },
        {
          name: 'ROOTCA',
          secret: { name: 'ROOTCA', validation_context: { trusted_ca: bytes(caCertificate + caCertificate) } },
        },
        {
          name: 'federated',
          secret: {
            validation_context: {
              custom_validator_config: { typed_config: { trust_domains: [{ trust_bundle: bytes(caCertificate) }] } },
            },
          },
        },
        { name: 'file', secret: { tls_certificate: { certificate_chain: { filename: '/etc/cert.pem' } } } },
      ],
      dynamic_warming_secrets: [{ name: 'kubernetes://late', secret: { name: 'kubernetes://late' } }],
    },
  ],
} as unknown as ConfigDump;

describe('secrets of an Envoy', () => {
  it('are shown with the certificates that count', () => {
    const table = renderTable(secretHeader, secretRows(secretsOf(dump, {}, from)), paintFor({ env: {} }, false));
    const lines = table
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(lines.map(([name, type, status, valid, serial]) => [name, type, status, valid, serial])).toEqual([
      ['RESOURCE NAME', 'TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER'],
      ['ROOTCA', 'CA', 'ACTIVE', expect.any(String), authority.serialNumber.toLowerCase()],
      ['ROOTCA', 'CA', 'ACTIVE', expect.any(String), authority.serialNumber.toLowerCase()],
      ['default', 'Cert Chain', 'ACTIVE', 'true', certificate.serialNumber.toLowerCase()],
      ['federated', 'CA', 'ACTIVE', expect.any(String), authority.serialNumber.toLowerCase()],
      ['file', 'Cert Chain', 'ACTIVE', 'file /etc/cert.pem', undefined],
      ['kubernetes://late', '-', 'WARMING', 'false', undefined],
    ]);
  });

  it('are valid as long as they are', () => {
    const validAt = (now: number) =>
      secretsOf(dump, { name: 'default' }, now).map(({ certificates }) => certificates[0]?.valid);
    expect([from - 1, from, Date.parse(certificate.validTo)].map((now) => validAt(now)[0])).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('never show a key, nor what is beside the certificates', () => {
    const shown = JSON.stringify(secretsOf(dump, {}, from));
    expect(shown).not.toContain('private_key');
    expect(shown).not.toContain(shopKey.split('\n')[1]);
    expect(shown).not.toContain(Buffer.from(shopKey).toString('base64').slice(0, 40));
  });
});
