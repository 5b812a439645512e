import { type ConfigObject, type Fields, fieldsOf, itemsOf, textOf, textsOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { gatewayWorkloads, reportNoGatewayPods } from './lookup/gateway-pods.js';
import { readReference } from './lookup/names.js';
import { secretProblem } from './lookup/secret-certificate.js';

interface NamedCredential {
  readonly name: string;
  readonly path: string;
}

function credentialsOf(server: Fields, path: string): readonly NamedCredential[] {
  const tls = fieldsOf(server['tls']);
  const single = textOf(tls['credentialName']);
  const several = textsOf(tls['credentialNames']).map((name, i) => ({ name, path: `${path}.credentialNames[${i}]` }));
  return [...(single ? [{ name: single, path: `${path}.credentialName` }] : []), ...several];
}

function check(
  catalogue: Catalogue,
  gateway: ConfigObject,
  namespaces: readonly string[],
  { name, path }: NamedCredential,
  report: Report,
): void {
  const own = name.replace(/^kubernetes(-gateway)?:\/\//, '');
  // Other schemes lead to files or to providers that no Secret stands for.
  if (own.includes('://')) return;
  const references = namespaces.map((namespace) => readReference(own, namespace));
  const secrets = references.flatMap((r) => catalogue.find(kinds.secret, r.namespace, r.name) ?? []);
  const { metadata } = gateway;
  if (secrets.length === 0) {
    const remedy = `a Secret of this name must exist in the namespace of the gateway workload (${namespaces.join(', ')})`;
    report('ReferencedResourceNotFound', gateway, { reftype: 'credentialName', refval: name, remedy }, path);
    return;
  }
  for (const secret of secrets) {
    const reason = secretProblem(secret, catalogue.now);
    if (reason === undefined) continue;
    const about = { gatewayName: metadata.name, gatewayNamespace: secret.metadata.namespace, reason };
    report('InvalidGatewayCredential', gateway, about, path);
  }
}

export const gatewaySecret: Analyzer = {
  name: 'gateway.SecretAnalyzer',
  description: 'Gateways whose Secret does not exist beside the workload, or holds no usable certificate.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const gateway of catalogue.all(kinds.gateway)) {
      const workloads = gatewayWorkloads(catalogue, gateway);
      const namespaces = [...new Set(workloads.map(({ namespace }) => namespace))];
      if (namespaces.length === 0) {
        reportNoGatewayPods(gateway, report);
        continue;
      }
      itemsOf(fieldsOf(gateway.spec)['servers']).forEach((server, i) => {
        for (const credential of credentialsOf(server, `spec.servers[${i}].tls`))
          check(catalogue, gateway, namespaces, credential, report);
      });
    }
  },
};
