import type { Directory, LogHead } from '@seine/mixer';
import { canonicalName, canonicalRevision, type Workload, type WorkloadLabels } from '@seine/model';
import type { LogEnd, LogEnds } from './log-sink.js';

/** By which columns a workload is known. */
const suffixes: Readonly<Record<keyof WorkloadLabels | 'principal', string>> = {
  workload: 'workload',
  namespace: 'workload_namespace',
  service: 'canonical_service',
  revision: 'canonical_revision',
  app: 'app',
  version: 'version',
  cluster: 'cluster',
  principal: 'principal',
};
const keys = Object.keys(suffixes) as (keyof LogEnd)[];
const serviceColumns = ['destination_service', 'destination_service_name', 'destination_service_namespace'] as const;

/** Where in the rows of a log the ends stand; -1 = nowhere. */
export class EndColumns {
  readonly #source: Readonly<Record<keyof LogEnd, number>>;
  readonly #destination: Readonly<Record<keyof LogEnd, number>>;
  readonly #service: readonly number[];

  constructor(private readonly head: LogHead) {
    const { columns } = head;
    const of = (side: string) =>
      Object.fromEntries(keys.map((key) => [key, columns.indexOf(`${side}_${suffixes[key]}`)])) as Record<
        keyof LogEnd,
        number
      >;
    this.#source = of('source');
    this.#destination = of('destination');
    this.#service = serviceColumns.map((name) => columns.indexOf(name));
  }

  /** Who calls whom, as a row says. */
  read(values: readonly string[]): LogEnds {
    const [host = '', name = '', namespace = ''] = this.#service.map((column) => known(values[column]));
    return makeEnds({
      reporter: this.head.reporter,
      source: readEnd(this.#source, values),
      destination: readEnd(this.#destination, values),
      service: { host, name, namespace },
    });
  }

  /** The row with other ends: what counts by columns then counts by these. */
  write(values: readonly string[], { source, destination }: LogEnds): readonly string[] {
    const written = [...values];
    const put = (columns: Readonly<Record<keyof LogEnd, number>>, end: LogEnd): void => {
      for (const key of keys) if (columns[key] >= 0 && end[key] !== '') written[columns[key]] = end[key];
    };
    put(this.#source, source);
    put(this.#destination, destination);
    return written;
  }
}

/** Empty where Envoy, or the workload itself, had nothing to say. */
function known(value: string | undefined): string {
  return value === undefined || value === '-' || value === 'unknown' ? '' : value;
}

function readEnd(columns: Readonly<Record<keyof LogEnd, number>>, values: readonly string[]): LogEnd {
  return Object.fromEntries(keys.map((key) => [key, known(values[columns[key]])])) as unknown as LogEnd;
}

function makeEnds(ends: Omit<LogEnds, 'key' | 'mutualTls'>): LogEnds {
  const { reporter, source, destination, service } = ends;
  const text = (end: LogEnd): readonly string[] => keys.map((key) => end[key]);
  const key = [reporter, ...text(source), ...text(destination), service.host, service.name, service.namespace];
  const mutualTls = source.principal !== '' && destination.principal !== '';
  return Object.freeze({ ...ends, key: key.join('\n'), mutualTls });
}

/** The end that is not the reporter's. */
export function peerOf({ reporter, source, destination }: LogEnds): LogEnd {
  return reporter === 'inbound' ? source : destination;
}

/** The reporter's own end. */
export function ownOf({ reporter, source, destination }: LogEnds): LogEnd {
  return reporter === 'inbound' ? destination : source;
}

/**
 * Ends whose peer the proxy could not name, with what the directory knows: of its address, unless the peer has proved to be
 * somebody else than who lives there; else of its identity, where that is one workload's.
 */
export function withPeer(ends: LogEnds, address: string, directory: Directory): LogEnds {
  const { principal } = peerOf(ends);
  const there = address === '' ? undefined : directory.workloadByAddress(address);
  const byIdentity = () => (principal === '' ? undefined : directory.workloadById(principal));
  const workload = there && mayBe(there, principal) ? there : byIdentity();
  if (!workload) return ends;
  const end: LogEnd = { ...labelsOf(workload), principal };
  return makeEnds(ends.reporter === 'inbound' ? { ...ends, source: end } : { ...ends, destination: end });
}

function mayBe({ namespace, serviceAccount }: Workload, principal: string): boolean {
  return principal === '' || principal.endsWith(`/ns/${namespace}/sa/${serviceAccount}`);
}

function labelsOf({ labels, ownerName, namespace }: Workload): WorkloadLabels {
  return {
    workload: ownerName,
    namespace,
    service: canonicalName(labels, ownerName),
    revision: canonicalRevision(labels),
    app: labels['app'] ?? '',
    version: labels['version'] ?? '',
    cluster: labels['topology.istio.io/cluster'] ?? '',
  };
}
