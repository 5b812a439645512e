import type { Dashboard } from './grafana.js';
import { either } from './queries.js';
import { summaryPanels, trafficPanels } from './traffic.js';

/** Workloads that get requests, and those that only send some, under one name of a label. */
function ends(name: string, labels: (end: 'source' | 'destination') => string): string {
  const end = (reporter: 'source' | 'destination') =>
    ['istio_requests_total', 'istio_tcp_sent_bytes_total']
      .map((metric) => `${metric}{reporter="${reporter}"${labels(reporter)}}`)
      .map((series) => `sum(label_replace(${series}, "${name}", "$1", "${reporter}_${name}", "(.*)")) by (${name})`);
  return [...end('destination'), ...end('source')].join(' or ');
}

const inbound = 'destination_workload=~"$workload", destination_workload_namespace=~"$namespace"';
const outbound = 'source_workload=~"$workload", source_workload_namespace=~"$namespace"';
const clients = `reporter="$reporter", ${inbound}`;
const services = `reporter="source", ${outbound}`;

export const workloadDashboard: Dashboard = {
  uid: 'seine-workload',
  title: 'Seine: workload',
  description: 'One workload: what it is asked by whom, and what it asks of which service.',
  variables: [
    {
      name: 'namespace',
      label: 'Namespace',
      query: ends('workload_namespace', () => ''),
      of: 'workload_namespace',
      many: false,
    },
    {
      name: 'workload',
      label: 'Workload',
      query: ends('workload', (end) => `, ${end}_workload_namespace=~"$namespace"`),
      of: 'workload',
      many: false,
    },
    {
      name: 'reporter',
      label: 'Reporter',
      query: [inbound, outbound].map((labels) => either('reporter', labels)).join(' or '),
      of: 'reporter',
      many: false,
    },
    {
      name: 'srcns',
      label: 'Client namespace',
      query: either('source_workload_namespace', clients),
      of: 'source_workload_namespace',
      many: true,
    },
    {
      name: 'srcwl',
      label: 'Client workload',
      query: either('source_workload', `${clients}, source_workload_namespace=~"$srcns"`),
      of: 'source_workload',
      many: true,
    },
    {
      name: 'dstsvc',
      label: 'Service asked',
      query: either('destination_service', services),
      of: 'destination_service',
      many: true,
    },
  ],
  rows: [
    {
      title: '$workload.$namespace',
      panels: [...summaryPanels('that it gets', clients), ...summaryPanels('that it sends', services)],
    },
    {
      title: 'Clients',
      panels: trafficPanels({
        of: 'from clients',
        labels: `${clients}, source_workload=~"$srcwl", source_workload_namespace=~"$srcns"`,
        by: ['source_workload', 'source_workload_namespace'],
        legend: '{{source_workload}}.{{source_workload_namespace}}',
      }),
    },
    {
      title: 'Services that it asks',
      panels: trafficPanels({
        of: 'to services',
        labels: `${services}, destination_service=~"$dstsvc"`,
        by: ['destination_service'],
        legend: '{{destination_service}}',
      }),
    },
  ],
};
