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

/** `<state>/run.json`: what the mesh that runs on a machine writes about itself, for seinectl. */
export interface RunFile {
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Full URLs by what they serve: `ingress`, `xds`, `configApi`, `pilotAdmin`, … */
  readonly urls: Readonly<Record<string, string>>;
  readonly workloads: readonly RunWorkload[];
}
