import { slowestSpan, type TraceNode, type TraceTree } from '../telemetry/trace-tree.js';
import { formatMilliseconds } from './milliseconds.js';
import type { Row } from './table.js';

export const traceHeader = ['SERVICE', 'KIND', 'START', 'DURATION', 'SELF', 'STATUS', 'SPAN'];

/** So deep a tree is drawn; what is below is of no use to anybody's eyes. */
const maxDepth = 40;

/** One row for each span, in the order of a tree; failures in red, the slowest by itself in yellow. */
export function traceRows(tree: TraceTree): Row[] {
  const slowest = slowestSpan(tree).at(-1);
  const rows: Row[] = [];
  const visit = (node: TraceNode, lead: string, below: string, depth: number): void => {
    rows.push(rowOf(node, lead, node === slowest));
    if (depth >= maxDepth) return;
    node.children.forEach((child, i) => {
      const isLast = i === node.children.length - 1;
      visit(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`, depth + 1);
    });
  };
  for (const root of tree.roots) visit(root, '', '', 0);
  return rows;
}

function rowOf(node: TraceNode, lead: string, isSlowest: boolean): Row {
  const self = formatMilliseconds(node.self);
  const status = [node.status, node.error].filter((part) => part !== '').join(' ') || '-';
  return {
    cells: [
      `${lead}${node.service}`,
      node.kind || '-',
      formatMilliseconds(node.start),
      formatMilliseconds(node.duration),
      isSlowest ? { text: self, colour: 'yellow' } : self,
      node.error ? { text: status, colour: 'red' } : status,
      node.name || '-',
    ],
  };
}

/** `trace … began at …: 6 spans of 4 services, 302 ms` */
export function traceSentence({ traceId, startedAt, spans, services, duration, roots }: TraceTree): string {
  const parts = roots.length > 1 ? `, in ${roots.length} parts: spans between them are missing, or yet to come` : '';
  return `trace ${traceId} of ${startedAt}: ${spans} spans of ${services.length} services, ${formatMilliseconds(duration)}${parts}`;
}

/** Names the span that has taken most time by itself. */
export function slowestSentence(tree: TraceTree): string {
  const way = slowestSpan(tree);
  const slowest = way.at(-1);
  if (!slowest) return '';
  const { service, name, kind, self, duration } = slowest;
  const what =
    kind === 'client' ? `the call of ${service} to ${name}` : `${service} (${[kind, name].filter(Boolean).join(' ')})`;
  return `slowest: ${what}: ${formatMilliseconds(self)} of its own, of ${formatMilliseconds(duration)}`;
}
