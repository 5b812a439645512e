import { X509Certificate } from 'node:crypto';
import type { Row } from '../output/table.js';
import { compareText } from './compare-text.js';
import { type ConfigDump, sectionOf } from './config-dump.js';
import type { Filters } from './filters.js';

export const secretHeader = [
  'RESOURCE NAME',
  'TYPE',
  'STATUS',
  'VALID CERT',
  'SERIAL NUMBER',
  'NOT AFTER',
  'NOT BEFORE',
  'TRUST DOMAIN',
];

interface DataSource {
  readonly inline_bytes?: string;
  readonly inline_string?: string;
  readonly filename?: string;
}
interface Validation {
  readonly trusted_ca?: DataSource;
  readonly custom_validator_config?: {
    readonly typed_config?: { readonly trust_domains?: readonly { readonly trust_bundle?: DataSource }[] };
  };
}
export interface EnvoySecret {
  readonly name?: string;
  readonly tls_certificate?: { readonly certificate_chain?: DataSource; readonly private_key?: unknown };
  readonly validation_context?: Validation;
}
interface SecretEntry {
  readonly name?: string;
  readonly last_updated?: string;
  readonly version_info?: string;
  readonly secret?: EnvoySecret;
  readonly error_state?: { readonly details?: string };
}
interface SecretsSection {
  readonly static_secrets?: readonly SecretEntry[];
  readonly dynamic_active_secrets?: readonly SecretEntry[];
  readonly dynamic_warming_secrets?: readonly SecretEntry[];
}

/** One certificate of a secret; a secret that has not come has none. */
export interface CertificateInfo {
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly valid: boolean;
  /** Of a SPIFFE identity. */
  readonly trustDomain: string;
  readonly subjectAltName: string;
}

export interface SecretInfo {
  readonly name: string;
  readonly type: 'Cert Chain' | 'CA' | '';
  readonly status: 'ACTIVE' | 'WARMING';
  readonly lastUpdated: string;
  /** File of the proxy's disk that it is read from. */
  readonly file?: string;
  readonly certificates: readonly CertificateInfo[];
}

/**
 * The secrets of an Envoy, by name. Of their contents only certificates are looked at: what is printed is made of them, so
 * that no key can be.
 * @param now milliseconds since 1970
 */
export function secretsOf(dump: ConfigDump, filters: Filters, now: number): readonly SecretInfo[] {
  const section = sectionOf(dump, 'SecretsConfigDump') as SecretsSection;
  const of = (list: readonly SecretEntry[] | undefined, status: SecretInfo['status']) =>
    (list ?? []).map((entry) => describe(entry, status, now));
  return [
    ...of(section.static_secrets, 'ACTIVE'),
    ...of(section.dynamic_active_secrets, 'ACTIVE'),
    ...of(section.dynamic_warming_secrets, 'WARMING'),
  ]
    .filter(({ name }) => filters.name === undefined || name === filters.name)
    .sort((a, b) => compareText(a.name, b.name));
}

function describe(entry: SecretEntry, status: SecretInfo['status'], now: number): SecretInfo {
  const { tls_certificate: own, validation_context: trusted } = entry.secret ?? {};
  const sources = own ? [own.certificate_chain] : authoritySources(trusted);
  const file = sources.find((source) => source?.filename)?.filename;
  return {
    name: entry.name ?? entry.secret?.name ?? '',
    type: own ? 'Cert Chain' : trusted ? 'CA' : '',
    status,
    lastUpdated: entry.last_updated ?? '',
    ...(file !== undefined && { file }),
    // Of a chain the leaf says who it is; of what is trusted each counts.
    certificates: sources.flatMap((source) => certificatesIn(source, now)).slice(0, own ? 1 : undefined),
  };
}

function authoritySources(context: Validation | undefined): readonly (DataSource | undefined)[] {
  const domains = context?.custom_validator_config?.typed_config?.trust_domains ?? [];
  return [context?.trusted_ca, ...domains.map(({ trust_bundle: bundle }) => bundle)];
}

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(source: DataSource | undefined, now: number): readonly CertificateInfo[] {
  const text = source?.inline_string ?? Buffer.from(source?.inline_bytes ?? '', 'base64').toString('latin1');
  return (text.match(block) ?? []).flatMap((pem): CertificateInfo[] => {
    try {
      return [certificateInfo(new X509Certificate(pem), now)];
    } catch {
      return [];
    }
  });
}

function certificateInfo(certificate: X509Certificate, now: number): CertificateInfo {
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const subjectAltName = certificate.subjectAltName ?? '';
  return {
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBefore: new Date(from).toISOString(),
    notAfter: new Date(until).toISOString(),
    valid: from <= now && now < until,
    trustDomain: /URI:spiffe:\/\/([^/,\s]+)/.exec(subjectAltName)?.[1] ?? '',
    subjectAltName,
  };
}

export function secretRows(secrets: readonly SecretInfo[]): Row[] {
  return secrets.flatMap((secret) => {
    const { name, type, status, certificates, file } = secret;
    const start = [name, type || '-', status === 'ACTIVE' ? status : ({ text: status, colour: 'yellow' } as const)];
    if (certificates.length === 0)
      return [{ cells: [...start, file === undefined ? { text: 'false', colour: 'red' } : `file ${file}`] }];
    return certificates.map(({ valid, serialNumber, notAfter, notBefore, trustDomain }) => ({
      cells: [
        ...start,
        valid ? 'true' : ({ text: 'false', colour: 'red' } as const),
        serialNumber,
        withoutMillis(notAfter),
        withoutMillis(notBefore),
        trustDomain,
      ],
    }));
  });
}

function withoutMillis(time: string): string {
  return time.replace(/\.\d{3}Z$/, 'Z');
}
