import { type ConfigObject, type Fields, fieldsOf, itemsOf, textOf } from '@seine/k8s';
import { isIpAddress } from '@seine/model';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '');
  } catch {
    // What cannot be read has no host.
    return undefined;
  }
}

function checkWebhook(object: ConfigObject, hook: Fields, path: string, report: Report): void {
  const { url, service } = fieldsOf(hook['clientConfig']);
  const webhook = textOf(hook['name']);
  if (typeof url === 'string') {
    const host = hostOf(url);
    if (host === undefined) {
      const msg = 'was provided in an invalid format';
      report('InvalidExternalControlPlaneConfig', object, { hostname: url, webhook, msg }, `${path}.url`);
    } else if (isIpAddress(host)) {
      report('ExternalControlPlaneAddressIsNotAHostname', object, { hostname: url, webhook }, `${path}.url`);
    }
  } else if (service === undefined) {
    report('InvalidExternalControlPlaneConfig', object, { hostname: '', webhook, msg: 'is blank' }, path);
  }
}

function isOfIstio({ kind, metadata: { name } }: ConfigObject): boolean {
  if (kind === 'MutatingWebhookConfiguration') return name.startsWith('istio-sidecar-injector');
  return name === 'istiod-default-validator' || name.startsWith('istio-validator');
}

export const externalcontrolplane: Analyzer = {
  name: 'externalcontrolplane.ExternalControlPlaneAnalyzer',
  description: 'Webhooks that should lead to a control plane outside the cluster.',
  scope: 'object',
  analyze(catalogue, report) {
    for (const object of [...catalogue.all(kinds.validatingWebhook), ...catalogue.all(kinds.mutatingWebhook)]) {
      if (!isOfIstio(object)) continue;
      itemsOf(object['webhooks']).forEach((hook, i) =>
        checkWebhook(object, hook, `webhooks[${i}].clientConfig`, report),
      );
    }
  },
};
