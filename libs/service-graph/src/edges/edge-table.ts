import { type EdgeData, EdgeTotals } from './edge-totals.js';
import { type Edge, edgeKey, edgeOf, type Observation } from './observation.js';

const elsewhere = { workload: 'other', namespace: '', app: '', version: '' } as const;

/** What edges beyond the bound are counted as, all together. */
const otherEdge = edgeOf({ source: elsewhere, destination: elsewhere, service: '', protocol: 'http' });

/** Edges by their keys, no more than so many: what comes beyond is one edge, `other`. */
export class EdgeTable {
  readonly #edges = new Map<string, EdgeTotals>();

  constructor(private readonly maxEdges: number) {}

  get size(): number {
    return this.#edges.size;
  }

  get edges(): ReadonlyMap<string, EdgeTotals> {
    return this.#edges;
  }

  /** @returns the key of the edge that it was counted for */
  add(observed: Observation): string {
    const totals = this.#edges.get(observed.edge.key) ?? this.#make(observed.edge);
    totals.add(observed);
    return totals.identity.key;
  }

  /** @returns the key of the edge that it was counted for */
  merge({ edge, reports }: EdgeData): string {
    const totals = this.#edges.get(edgeKey(edge)) ?? this.#make(edgeOf(edge));
    totals.merge({ reports });
    return totals.identity.key;
  }

  #make(asked: Edge): EdgeTotals {
    const edge = this.#edges.size < this.maxEdges ? asked : otherEdge;
    let totals = this.#edges.get(edge.key);
    if (!totals) this.#edges.set(edge.key, (totals = new EdgeTotals(edge)));
    return totals;
  }
}
