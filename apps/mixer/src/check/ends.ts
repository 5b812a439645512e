import { formatWorkloadId, type WorkloadIdentity } from '@seine/ca';
import { GrpcError, GrpcStatus } from '@seine/h2grpc';
import type { Directory, End, Side, Value } from '@seine/mixer';
import type { Workload } from '@seine/model';
import type { CheckMessage, Peer } from './check-message.js';
import type { Struct } from './struct.js';

type Attributes = ReadonlyMap<string, Value>;
/** Metadata of the call, by name. */
export type Header = (name: string) => string | undefined;

/** What is known of both ends of a request. */
export interface Ends {
  /** Whose proxy asks: the caller's (`outbound`, and gateways) or that of who is called. */
  readonly reporter: 'inbound' | 'outbound';
  /** `source.…` */
  readonly source: Attributes;
  /** `destination.…` */
  readonly destination: Attributes;
}

/**
 * What pilot has each proxy say with its question: from which side it asks, for which workload, where its address does not
 * tell, and of which service.
 */
const said = { reporter: 'seine.reporter', workload: 'seine.workload', service: 'seine.service' } as const;
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
   * @param header metadata of the call: Envoy has no other place for what is said of connections
   * @throws GrpcError PERMISSION_DENIED where the proxy speaks for a workload that is not its own
   */
  find(message: CheckMessage, caller: WorkloadIdentity | undefined, directory: Directory, header?: Header): Ends {
    if (directory !== this.#directory) {
      this.#directory = directory;
      this.#known = new Map();
    }
    const read = (name: string): string | undefined => message.extensions.get(name) ?? header?.(name);
    const reporter = read(said.reporter) === 'outbound' ? 'outbound' : 'inbound';
    const service = read(said.service);
    const own = ownEnd(
      reporter === 'inbound' ? message.destination : message.source,
      read(said.workload),
      caller,
      directory,
    );
    if (reporter === 'outbound')
      return {
        reporter,
        source: this.#attributes('source', own),
        destination: this.#attributes('destination', { ...endOf(message.destination), service }),
      };
    const served = servedBy(own, directory);
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

  /** Who calls, as the proxy of who is called sees it: by address and certificate, else by what the caller says of itself. */
  #caller(message: CheckMessage): Attributes {
    const end = endOf(message.source);
    const found = this.#attributes('source', end);
    if (end.identity === undefined || found.has('source.workload.name')) return found;
    const peer = message.metadata(peerMetadata);
    return peer ? new Map([...found, ...saidAttributes(peer, end.identity)]) : found;
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

/**
 * The side of the proxy that asks.
 * @param workload `namespace/name`, as the proxy says
 */
function ownEnd(
  peer: Peer,
  workload: string | undefined,
  caller: WorkloadIdentity | undefined,
  directory: Directory,
): End {
  const end = { ...endOf(peer), workload };
  if (!caller) return end;
  const own = { ...end, identity: idOf(caller) };
  if (workload === undefined) {
    const found = end.address === undefined ? undefined : directory.workloadByAddress(end.address);
    // At another's address it may only be itself.
    return found && !isOf(found, caller) ? { ...own, address: undefined } : own;
  }
  const found = directory.workloadByName(workload);
  // A workload that is not known yet: its namespace must be the proxy's.
  if (found ? isOf(found, caller) : workload.startsWith(`${caller.namespace}/`)) return own;
  const name = `${caller.namespace}/${caller.serviceAccount}`;
  throw new GrpcError(GrpcStatus.PERMISSION_DENIED, `${name} does not speak for the workload ${workload}`);
}

/** A connection's caller is one object, and asks thousands of times. */
const ids = new WeakMap<WorkloadIdentity, string>();

function idOf(caller: WorkloadIdentity): string {
  let id = ids.get(caller);
  if (id === undefined) ids.set(caller, (id = formatWorkloadId(caller)));
  return id;
}

function isOf({ namespace, serviceAccount }: Workload, caller: WorkloadIdentity): boolean {
  return namespace === caller.namespace && (serviceAccount || 'default') === caller.serviceAccount;
}

/** Hosts of the services that a workload serves at the port that is asked about; undefined where it is not known. */
function servedBy({ workload, address, port }: End, directory: Directory): readonly string[] | undefined {
  const found =
    workload === undefined
      ? address !== undefined && directory.workloadByAddress(address)
      : directory.workloadByName(workload);
  if (!found) return undefined;
  const hosts = found.inbound.filter(({ targetPort }) => targetPort === port);
  return (hosts.length > 0 ? hosts : found.inbound).map(({ serviceHost }) => serviceHost);
}

/** What a caller whose certificate is good says of itself: which of the workloads of its namespace it is, and nothing of others. */
function saidAttributes(peer: Struct, identity: string): Map<string, Value> {
  const text = (key: string): string | undefined => {
    const value = peer.get(key);
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
