import { formatWorkloadId, type WorkloadIdentity } from '@seine/ca';
import { GrpcError, GrpcStatus } from '@seine/h2grpc';
import type { Directory, End, Side, Value } from '@seine/mixer';
import type { Workload } from '@seine/model';
import type { CheckMessage, Peer } from './check-message.js';
import type { Struct } from './struct.js';

type Attributes = ReadonlyMap<string, Value>;

/** What is known of both ends of a request. */
export interface Ends {
  /** Whose proxy asks: the caller's (`outbound`, and gateways) or that of who is called. */
  readonly reporter: 'inbound' | 'outbound';
  /** `source.…` */
  readonly source: Attributes;
  /** `destination.…` */
  readonly destination: Attributes;
}

/** What pilot has each proxy say with its question: from which side it asks, for which workload, and of which service. */
const extensions = { reporter: 'seine.reporter', workload: 'seine.workload', service: 'seine.service' } as const;
/** Under this name the proxy of who is called keeps what the caller's proxy said of its workload, within mutual TLS. */
const peerMetadata = 'seine.peer';
/** So many ends are remembered; there are few in a mesh, but for addresses of clients from outside. */
const maxRemembered = 10_000;

/** Finds out who is at both ends. What it has found it remembers, as long as the directory is the same. */
export class EndFinder {
  #directory: Directory | undefined;
  #known = new Map<string, Attributes>();

  /**
   * A proxy is believed what it says of its own side, as far as its certificate bears that out, and of the other side what
   * it has seen: address and certificate.
   * @param caller who asks; undefined on plain text, where nobody can tell
   * @throws GrpcError PERMISSION_DENIED where the proxy speaks for a workload that is not its own
   */
  find(message: CheckMessage, caller: WorkloadIdentity | undefined, directory: Directory): Ends {
    if (directory !== this.#directory) {
      this.#directory = directory;
      this.#known = new Map();
    }
    const reporter = message.extensions.get(extensions.reporter) === 'outbound' ? 'outbound' : 'inbound';
    const service = message.extensions.get(extensions.service);
    const own = this.#own(message, reporter, caller, directory);
    if (reporter === 'outbound')
      return {
        reporter,
        source: this.#attributes('source', own),
        destination: this.#attributes('destination', { ...endOf(message.destination), service }),
      };
    const served = servedBy(own.workload === undefined ? undefined : directory.workloadByName(own.workload), message);
    return {
      reporter,
      source: this.#caller(message),
      // A service that the workload does not serve is not its proxy's to speak of.
      destination: this.#attributes('destination', {
        ...own,
        service: served === undefined || (service !== undefined && served.includes(service)) ? service : served[0],
      }),
    };
  }

  /** The side of the proxy that asks. */
  #own(
    message: CheckMessage,
    reporter: Ends['reporter'],
    caller: WorkloadIdentity | undefined,
    directory: Directory,
  ): End {
    const peer = endOf(reporter === 'inbound' ? message.destination : message.source);
    const workload = message.extensions.get(extensions.workload);
    if (!caller) return { ...peer, workload };
    if (workload !== undefined && !isOwn(workload, caller, directory))
      throw new GrpcError(
        GrpcStatus.PERMISSION_DENIED,
        `${caller.namespace}/${caller.serviceAccount} does not speak for the workload ${workload}`,
      );
    return { ...peer, identity: formatWorkloadId(caller), workload };
  }

  /** Who calls, as the proxy of who is called sees it: by address and certificate, else by what the caller says of itself. */
  #caller(message: CheckMessage): Attributes {
    const end = endOf(message.source);
    const found = this.#attributes('source', end);
    if (end.identity === undefined || found.has('source.workload.name')) return found;
    const said = message.metadata(peerMetadata);
    return said ? new Map([...found, ...saidAttributes(said, end.identity)]) : found;
  }

  #attributes(side: Side, end: End): Attributes {
    const key = `${side} ${end.address} ${end.identity} ${end.workload} ${end.service} ${side === 'source' ? 0 : end.port}`;
    const known = this.#known.get(key);
    if (known) return known;
    const made = new Map<string, Value>();
    this.#directory?.fill(side, end, made);
    if (this.#known.size >= maxRemembered) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }
}

function endOf({ address, port, principal }: Peer): End {
  return {
    address: address === '' ? undefined : address,
    identity: principal.startsWith('spiffe://') ? principal : undefined,
    port,
  };
}

/** @param name `namespace/name` */
function isOwn(name: string, caller: WorkloadIdentity, directory: Directory): boolean {
  const workload = directory.workloadByName(name);
  // A workload that is not known yet: its namespace must be the proxy's.
  if (!workload) return name.startsWith(`${caller.namespace}/`);
  return workload.namespace === caller.namespace && workload.serviceAccount === caller.serviceAccount;
}

/** Hosts of the services that a workload serves at the port that is asked about; undefined where it is not known. */
function servedBy(workload: Workload | undefined, { destination }: CheckMessage): readonly string[] | undefined {
  if (!workload) return undefined;
  const hosts = workload.inbound.filter(({ targetPort }) => targetPort === destination.port);
  return (hosts.length > 0 ? hosts : workload.inbound).map(({ serviceHost }) => serviceHost);
}

/** What a caller whose certificate is good says of itself: which of the workloads of its namespace it is, and nothing of others. */
function saidAttributes(said: Struct, identity: string): Map<string, Value> {
  const text = (key: string): string | undefined => {
    const value = said.get(key);
    return typeof value === 'string' && value !== '' && value !== 'unknown' ? value : undefined;
  };
  const attributes = new Map<string, Value>();
  const [name, namespace] = [text('workload'), text('namespace')];
  if (name === undefined || namespace === undefined || !identity.includes(`/ns/${namespace}/sa/`)) return attributes;
  const labels = new Map<string, string>();
  for (const label of ['app', 'version']) {
    const value = text(label);
    if (value !== undefined) labels.set(label, value);
  }
  attributes.set('source.labels', labels);
  attributes.set('source.namespace', namespace);
  attributes.set('source.workload.name', name);
  attributes.set('source.workload.namespace', namespace);
  return attributes;
}
