import { type Fields, fieldsOf, itemsOf, portOf, textOf } from '@seine/k8s';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { fullName } from './lookup/names.js';

/** Whether TLS settings start TLS with nothing to check the server by. */
function verifiesNothing(tls: Fields, hasSelector: boolean): boolean {
  if (tls['mode'] !== 'SIMPLE' && tls['mode'] !== 'MUTUAL') return false;
  // A credential can carry the authority, but sidecars fetch one only for rules that select workloads.
  return textOf(tls['caCertificates']) === '' && !(textOf(tls['credentialName']) !== '' && hasSelector);
}

export const destinationruleCaCertificate: Analyzer = {
  name: 'destinationrule.CaCertificateAnalyzer',
  description: 'DestinationRules that start TLS without an authority to check servers by.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.destinationRule)) {
      const spec = fieldsOf(object.spec);
      const policy = fieldsOf(spec['trafficPolicy']);
      const hasSelector = spec['workloadSelector'] !== undefined;
      const about = {
        destinationrule: fullName(object),
        namespace: object.metadata.namespace,
        host: textOf(spec['host']),
      };
      const tls = fieldsOf(policy['tls']);
      if (verifiesNothing(tls, hasSelector)) {
        const mode = textOf(tls['mode']);
        report('NoServerCertificateVerificationDestinationLevel', object, { ...about, mode }, 'spec.trafficPolicy.tls');
      }
      itemsOf(policy['portLevelSettings']).forEach((settings, i) => {
        const portTls = fieldsOf(settings['tls']);
        if (!verifiesNothing(portTls, hasSelector)) return;
        const port = portOf(fieldsOf(settings['port'])['number']) ?? '';
        const path = `spec.trafficPolicy.portLevelSettings[${i}].tls`;
        report(
          'NoServerCertificateVerificationPortLevel',
          object,
          { ...about, mode: textOf(portTls['mode']), port },
          path,
        );
      });
    }
  },
};
