import { fromBinary } from '@bufbuild/protobuf';
import { type Node, NodeSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { NameSet } from './name-set.js';
import { MalformedMessage, scanFields } from './protobuf-scan.js';

/** What the protocol needs of a DiscoveryRequest or DeltaDiscoveryRequest (envoy/service/discovery/v3/discovery.proto). */
export interface XdsRequest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly node: Node | undefined;
  /** Set when the client refuses the response of this nonce: its presence decides, not the version. */
  readonly error: { readonly message: string } | undefined;
  /** State-of-the-world: all names wanted. Delta: names to add. */
  readonly names: NameSet;
  /** Delta only: names to drop. */
  readonly unsubscribe: NameSet;
  /** Delta only: what a reconnecting client holds. */
  readonly initialVersions: ReadonlyMap<string, string>;
}

const noVersions: ReadonlyMap<string, string> = new Map();

/** Names by their raw bytes: the same request bytes give the same set without decoding a name. Bounded. */
const namesByBytes = new Map<string, NameSet>();
const namesByBytesLimit = 256;

/** Short lists are cheaper to decode than to look up. */
const smallList = 4;

class NameSlices {
  count = 0;
  private from = -1;
  private to = -1;
  private contiguous = true;
  private readonly slices: number[] = [];

  constructor(private readonly buf: Buffer) {}

  add(fieldStart: number, start: number, end: number): void {
    if (this.count === 0) this.from = fieldStart;
    else if (fieldStart !== this.to) this.contiguous = false;
    this.to = end;
    this.slices.push(start, end);
    this.count++;
  }

  resolve(): NameSet {
    if (this.count === 0) return NameSet.empty;
    if (this.count <= smallList || !this.contiguous) return this.decode();
    const key = this.buf.toString('latin1', this.from, this.to);
    let set = namesByBytes.get(key);
    if (!set) {
      set = this.decode();
      if (namesByBytes.size >= namesByBytesLimit) namesByBytes.clear();
      namesByBytes.set(key, set);
    }
    return set;
  }

  private decode(): NameSet {
    const names: string[] = [];
    for (let i = 0; i < this.slices.length; i += 2)
      names.push(this.buf.toString('utf8', this.slices[i], this.slices[i + 1]));
    return NameSet.of(names);
  }
}

function parseError(buf: Buffer, from: number, to: number): { message: string } {
  let message = '';
  scanFields(
    buf,
    (field, start, end) => {
      if (field === 2) message = buf.toString('utf8', start, end);
    },
    from,
    to,
  );
  return { message };
}

function parseNode(buf: Buffer, from: number, to: number): Node {
  try {
    return fromBinary(NodeSchema, buf.subarray(from, to));
  } catch (cause) {
    throw new MalformedMessage('node is not a valid envoy.config.core.v3.Node', { cause });
  }
}

/** @throws MalformedMessage */
export function parseSotwRequest(buf: Buffer): XdsRequest {
  let typeUrl = '';
  let nonce = '';
  let node: Node | undefined;
  let error: XdsRequest['error'];
  const names = new NameSlices(buf);
  scanFields(buf, (field, start, end, fieldStart) => {
    if (field === 2) node = parseNode(buf, start, end);
    else if (field === 3) names.add(fieldStart, start, end);
    else if (field === 4) typeUrl = buf.toString('utf8', start, end);
    else if (field === 5) nonce = buf.toString('utf8', start, end);
    else if (field === 6) error = parseError(buf, start, end);
  });
  return {
    typeUrl,
    nonce,
    node,
    error,
    names: names.resolve(),
    unsubscribe: NameSet.empty,
    initialVersions: noVersions,
  };
}

function parseVersionEntry(buf: Buffer, from: number, to: number, into: Map<string, string>): void {
  let name = '';
  let version = '';
  scanFields(
    buf,
    (field, start, end) => {
      if (field === 1) name = buf.toString('utf8', start, end);
      else if (field === 2) version = buf.toString('utf8', start, end);
    },
    from,
    to,
  );
  into.set(name, version);
}

/** @throws MalformedMessage */
export function parseDeltaRequest(buf: Buffer): XdsRequest {
  let typeUrl = '';
  let nonce = '';
  let node: Node | undefined;
  let error: XdsRequest['error'];
  const names = new NameSlices(buf);
  const unsubscribe = new NameSlices(buf);
  let initialVersions: Map<string, string> | undefined;
  scanFields(buf, (field, start, end, fieldStart) => {
    if (field === 1) node = parseNode(buf, start, end);
    else if (field === 2) typeUrl = buf.toString('utf8', start, end);
    else if (field === 3) names.add(fieldStart, start, end);
    else if (field === 4) unsubscribe.add(fieldStart, start, end);
    else if (field === 5) parseVersionEntry(buf, start, end, (initialVersions ??= new Map<string, string>()));
    else if (field === 6) nonce = buf.toString('utf8', start, end);
    else if (field === 7) error = parseError(buf, start, end);
  });
  return {
    typeUrl,
    nonce,
    node,
    error,
    names: names.resolve(),
    unsubscribe: unsubscribe.resolve(),
    initialVersions: initialVersions ?? noVersions,
  };
}
