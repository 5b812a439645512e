import type { Dashboard } from './grafana.js';
import { either } from './queries.js';
import { summaryPanels, trafficPanels } from './traffic.js';

const service = 'destination_service=~"$service"';
const of = `reporter="$reporter", ${service}`;

export const serviceDashboard: Dashboard = {
  uid: 'seine-service',
  title: 'Seine: service',
  description: 'One service: what its clients see, what its workloads see, and who they are.',
  variables: [
    {
      name: 'service',
      label: 'Service',
      query: either('destination_service', ''),
      of: 'destination_service',
      many: false,
    },
    {
      name: 'reporter',
      label: 'Reporter',
      // The first of them in the alphabet, destination, is what Istio's dashboards begin with.
      query: either('reporter', service),
      of: 'reporter',
      many: false,
    },
    {
      name: 'srcns',
      label: 'Client namespace',
      query: either('source_workload_namespace', of),
      of: 'source_workload_namespace',
      many: true,
    },
    {
      name: 'srcwl',
      label: 'Client workload',
      query: either('source_workload', `${of}, source_workload_namespace=~"$srcns"`),
      of: 'source_workload',
      many: true,
    },
    {
      name: 'dstns',
      label: 'Workload namespace',
      query: either('destination_workload_namespace', of),
      of: 'destination_workload_namespace',
      many: true,
    },
    {
      name: 'dstwl',
      label: 'Workload',
      query: either('destination_workload', `${of}, destination_workload_namespace=~"$dstns"`),
      of: 'destination_workload',
      many: true,
    },
  ],
  rows: [
    {
      title: '$service',
      panels: [
        ...summaryPanels('as clients see it', `reporter=~"source|waypoint", ${service}`),
        ...summaryPanels('as workloads see it', `reporter="destination", ${service}`),
      ],
    },
    {
      title: 'Clients',
      panels: trafficPanels({
        of: 'from clients',
        labels: `${of}, source_workload=~"$srcwl", source_workload_namespace=~"$srcns"`,
        by: ['source_workload', 'source_workload_namespace'],
        legend: '{{source_workload}}.{{source_workload_namespace}}',
      }),
    },
    {
      title: 'Workloads of the service',
      panels: trafficPanels({
        of: 'at workloads',
        labels: `${of}, destination_workload=~"$dstwl", destination_workload_namespace=~"$dstns"`,
        by: ['destination_workload', 'destination_workload_namespace'],
        legend: '{{destination_workload}}.{{destination_workload_namespace}}',
      }),
    },
  ],
};
