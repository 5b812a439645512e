import { type ConfigObject, type Fields, fieldsOf, itemsOf, type Labels, labelsOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { fullName } from './lookup/names.js';
import { hasLabels } from './lookup/selectors.js';

type PlacedCertificate = readonly [certificate: string, path: string];

/** The certificates of the servers of a Gateway, as far as their names tell them apart. */
function certificatesOf(gateway: ConfigObject): readonly PlacedCertificate[] {
  return itemsOf(fieldsOf(gateway.spec)['servers']).flatMap((server: Fields, i): readonly PlacedCertificate[] => {
    const tls = fieldsOf(server['tls']);
    const path = `spec.servers[${i}].tls`;
    const credential = textOf(tls['credentialName']);
    if (credential) return [[`credential ${credential}`, `${path}.credentialName`]];
    const files = [textOf(tls['serverCertificate']), textOf(tls['privateKey'])];
    return files.every((file) => file !== '') ? [[`files ${files.join(' ')}`, path]] : [];
  });
}

export const gatewayCertificate: Analyzer = {
  name: 'gateway.CertificateAnalyzer',
  description: 'Several Gateways of the same workloads that present one certificate.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const gateways = catalogue.all(kinds.gateway).map((object) => ({
      object,
      selector: labelsOf(fieldsOf(object.spec)['selector']) satisfies Labels,
      certificates: certificatesOf(object),
    }));
    for (const one of gateways)
      for (const other of gateways) {
        if (one === other || !hasLabels(one.selector, other.selector)) continue;
        const theirs = new Set(other.certificates.map(([certificate]) => certificate));
        const shared = one.certificates.find(([certificate]) => theirs.has(certificate));
        if (!shared) continue;
        const names = [fullName(one.object), fullName(other.object)];
        report('GatewayDuplicateCertificate', one.object, { gateways: names }, shared[1]);
      }
  },
};
