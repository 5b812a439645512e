import type { EdgeEnd, GraphEdge, ServiceGraph } from '@seine/service-graph';
import { formatMilliseconds } from './milliseconds.js';

/** The graph for Graphviz: a cluster a namespace, red where calls fail, bold where most time is lost. */
export function graphDot(graph: ServiceGraph): string {
  const namespaces = new Map<string, EdgeEnd[]>();
  for (const node of graph.nodes) namespaces.set(node.namespace, [...(namespaces.get(node.namespace) ?? []), node]);
  const clusters = [...namespaces].flatMap(([namespace, nodes], i) => [
    `  subgraph cluster_${i} {`,
    `    label=${quote(namespace)};`,
    ...nodes.map((node) => `    ${idOf(node)} [label=${quote(labelOf(node))}];`),
    '  }',
  ]);
  return [
    'digraph mesh {',
    '  rankdir=LR;',
    '  node [shape=box, style=rounded];',
    ...clusters,
    ...graph.edges.map((edge) => `  ${edgeLine(edge, graph)}`),
    '}',
    '',
  ].join('\n');
}

const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

function idOf({ workload, namespace }: EdgeEnd): string {
  return quote(`${workload}.${namespace}`);
}

function labelOf({ workload, app, version }: EdgeEnd): string {
  return version && app && workload !== `${app}-${version}` ? `${workload} (${app} ${version})` : workload;
}

function edgeLine(edge: GraphEdge, { worst }: ServiceGraph): string {
  const { source, destination, protocol, rate, errors, latency, connections } = edge;
  const label = [
    `${protocol} ${rate.toFixed(2)}/s`,
    ...(errors.total > 0 ? [`${(errors.share * 100).toFixed(1)}% errors`] : []),
    ...(latency ? [`p95 ${formatMilliseconds(latency.p95)}`] : []),
  ].join('; ');
  const attributes = [
    `label=${quote(label)}`,
    ...(errors.total > 0 ? ['color=red'] : []),
    ...(connections ? ['style=dashed'] : edge.id === worst.latency ? ['style=bold'] : []),
  ];
  return `${idOf(source)} -> ${idOf(destination)} [${attributes.join(', ')}];`;
}
