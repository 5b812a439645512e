import { type EdgeData, EdgeTotals } from './edge-totals.js';
import { edgeKey, type EdgeIdentity, identityOf, type Observation } from './observation.js';

const elsewhere = { workload: 'other', namespace: '', app: '', version: '' } as const;

/** What edges beyond the bound are counted as, all together. */
export const otherEdge: EdgeIdentity = Object.freeze({
  source: elsewhere,
  destination: elsewhere,
  service: '',
  protocol: 'http',
});
const otherKey = edgeKey(otherEdge);
/** Keys beyond it are made of names that are cut. */
const longestKey = 1024;

/** Edges by their keys, no more than so many: what comes beyond is one edge, `otherEdge`. */
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
    const key = keyOf(observed);
    const known = this.#edges.get(key);
    if (known) {
      known.add(observed);
      return key;
    }
    const [made, totals] = this.#make(key, observed);
    totals.add(observed);
    return made;
  }

  /** @returns the key of the edge that it was counted for */
  merge(data: EdgeData): string {
    const key = keyOf(data.edge);
    const [made, totals] = this.#make(key, data.edge);
    totals.merge(data);
    return made;
  }

  #make(key: string, identity: EdgeIdentity): [key: string, totals: EdgeTotals] {
    const isOther = this.#edges.size >= this.maxEdges && !this.#edges.has(key);
    const used = isOther ? otherKey : key;
    let totals = this.#edges.get(used);
    if (!totals) {
      totals = new EdgeTotals(isOther ? otherEdge : identityOf(identity));
      this.#edges.set(used, totals);
    }
    return [used, totals];
  }
}

function keyOf(identity: EdgeIdentity): string {
  const key = edgeKey(identity);
  return key.length > longestKey ? edgeKey(identityOf(identity)) : key;
}
