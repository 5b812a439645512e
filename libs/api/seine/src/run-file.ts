/** One workload of the mesh on a machine, and its Envoy. */
export interface RunWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly version: string;
  readonly serviceAccount: string;
  /** Literal. */
  readonly address: string;
  readonly inboundPort: number;
  /** On 127.0.0.1. */
  readonly adminPort: number;
  /** The xDS node id. */
  readonly proxyId: string;
}

/** By what seinectl shows who it is: PEM files that only the mesh's user can read, replaced as they are renewed. */
export interface RunClient {
  /** The certificate with what signed it. */
  readonly certificate: string;
  readonly key: string;
  /** The roots by which servers are known. */
  readonly roots: string;
  /** The SPIFFE IDs that servers must prove, by the names of `urls`. */
  readonly servers: Readonly<Record<string, string>>;
}

/** `<state>/run.json`: what the mesh that runs on a machine writes about itself, for seinectl. */
export interface RunFile {
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Full URLs by what they serve: `ingress`, `xds`, `configApi`, `pilotAdmin`, … */
  readonly urls: Readonly<Record<string, string>>;
  readonly workloads: readonly RunWorkload[];
  /** Where servers want to know who calls; absent = nobody has to show anything. */
  readonly client?: RunClient | undefined;
}
