import { fieldsOf, itemsOf, textOf, textsOf } from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

/** Whether proxies answer DNS themselves and give hosts without address one of their own. */
function allocatesAddresses({ settings: { proxyMetadata } }: Catalogue): boolean {
  const isOn = (name: string) => proxyMetadata[name] === 'true';
  return (
    isOn('ISTIO_META_DNS_CAPTURE') && (isOn('ISTIO_META_DNS_AUTO_ALLOCATE') || isOn('PILOT_ENABLE_IP_AUTOALLOCATE'))
  );
}

export const serviceentry: Analyzer = {
  name: 'serviceentry.Analyzer',
  description: 'ServiceEntries with TCP ports and no addresses to tell their traffic by.',
  scope: 'object',
  analyze(catalogue, report) {
    if (allocatesAddresses(catalogue)) return;
    for (const object of catalogue.all(kinds.serviceEntry)) {
      const spec = fieldsOf(object.spec);
      const allocated = fieldsOf(object['status'])['addresses'];
      if (textsOf(spec['addresses']).length > 0 || (Array.isArray(allocated) && allocated.length > 0)) continue;
      itemsOf(spec['ports']).forEach((port, i) => {
        if (!['', 'TCP'].includes(textOf(port['protocol']).toUpperCase())) return;
        report('ServiceEntryAddressesRequired', object, {}, `spec.ports[${i}]`);
      });
    }
  },
};
