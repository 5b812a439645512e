import { TypeUrl } from '@seine/envoy';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { KeySourceStatus } from '@seine/jwks-fetch';
import { MeshMetrics } from './mesh-metrics.js';
import type { PilotEvents } from './pilot.service.js';

/** Istio's short names of the types, as its dashboards query them. */
const shortNames: ReadonlyMap<string, string> = new Map<string, string>([
  [TypeUrl.cluster, 'cds'],
  [TypeUrl.endpoint, 'eds'],
  [TypeUrl.listener, 'lds'],
  [TypeUrl.route, 'rds'],
  [TypeUrl.extension, 'ecds'],
  [TypeUrl.secret, 'sds'],
]);

function short(typeUrl: string): string {
  return shortNames.get(typeUrl) ?? 'other';
}

const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10];

/** Names that a client made up, cut to what a log can take. */
function shown(names: readonly string[]): string {
  const some = names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 100)));
  return some.join(', ') + (names.length > some.length ? `, and ${names.length - some.length} more` : '');
}

/** Pilot's own metrics under istiod's names. Bounded: no label takes a value that a client chooses. */
export class PilotMetrics {
  readonly #pushes: Counter;
  readonly #pushTime: Histogram;
  readonly #convergence: Histogram;
  readonly #size: Histogram;
  readonly #rejects: Counter;
  readonly #rejectsOf: ReadonlyMap<string, Counter>;
  readonly #connections: Gauge;
  readonly #unknownTypes: Counter;
  readonly #oversized: Counter;
  readonly #slowReaders: Counter;
  readonly #internalErrors: Counter;
  readonly #refused: Counter;
  readonly #handshakes: Counter;
  readonly #revision: Gauge;
  readonly #sizes: ReadonlyMap<string, Gauge>;
  readonly #keysFetched: Counter;
  readonly #keysNotFetched: Counter;
  readonly #withheld: Counter;
  readonly #mesh: MeshMetrics;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    this.#mesh = new MeshMetrics(registry);
    const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
    this.#pushes = counter('pilot_xds_pushes', 'Responses sent, by type.', ['type']);
    this.#pushTime = new Histogram({
      name: 'pilot_xds_push_time',
      help: 'Seconds to hand a new mesh to all streams.',
      buckets: seconds,
      registers,
    });
    this.#convergence = new Histogram({
      name: 'pilot_proxy_convergence_time',
      help: 'Seconds from a response to its acknowledgement.',
      buckets: seconds,
      registers,
    });
    this.#size = new Histogram({
      name: 'pilot_xds_config_size_bytes',
      help: 'Size of responses, by type.',
      labelNames: ['type'],
      buckets: [1e3, 1e4, 1e5, 1e6, 4e6, 1e7],
      registers,
    });
    this.#rejects = counter('pilot_total_xds_rejects', 'Responses that proxies refused.');
    const types = ['cds', 'eds', 'lds', 'rds'];
    this.#rejectsOf = new Map(
      types.map((type) => [type, counter(`pilot_xds_${type}_reject`, `Refused ${type.toUpperCase()} responses.`)]),
    );
    this.#connections = gauge('pilot_xds', 'Connected xDS streams.');
    this.#unknownTypes = counter(
      'seine_xds_unknown_type_requests_total',
      'First requests for a type that pilot does not serve.',
    );
    this.#oversized = counter('seine_xds_oversized_requests_total', 'Streams ended for a request over the size limit.');
    this.#slowReaders = counter('pilot_xds_write_timeout', 'Streams ended because the client did not read.');
    this.#internalErrors = counter(
      'pilot_total_xds_internal_errors',
      'Times that a proxy could not be served by a bug.',
    );
    this.#refused = counter('seine_xds_refused_streams_total', 'Streams ended for who the client is, by gRPC status.', [
      'status',
    ]);
    this.#handshakes = counter('seine_xds_failed_handshakes_total', 'TLS handshakes that failed.');
    this.#revision = gauge('seine_mesh_revision', 'Revision of the mesh that is served.');
    this.#sizes = new Map([
      ['services', gauge('pilot_services', 'Services known.')],
      ['virtualServices', gauge('pilot_virt_services', 'VirtualServices known.')],
      ['subsets', gauge('pilot_destrule_subsets', 'Subsets of the DestinationRules known.')],
    ]);
    this.#withheld = counter(
      'seine_xds_withheld_secrets_total',
      'Secrets that proxies asked for and did not get: not there, or not for them.',
    );
    this.#keysFetched = counter(
      'pilot_jwks_resolver_network_fetch_success_total',
      'Requests for keys of those who issue tokens that were answered.',
    );
    this.#keysNotFetched = counter(
      'pilot_jwks_resolver_network_fetch_fail_total',
      'Requests for keys of those who issue tokens that failed.',
    );
  }

  /** @param tell is told who was turned away, and why */
  events(tell: (line: string) => void = () => undefined): PilotEvents {
    return {
      ...this.#mesh.events,
      opened: () => this.#connections.inc(),
      closed: () => this.#connections.dec(),
      sent: (typeUrl, bytes) => {
        this.#pushes.inc({ type: short(typeUrl) });
        this.#size.observe({ type: short(typeUrl) }, bytes);
      },
      acked: (_typeUrl, milliseconds) => this.#convergence.observe(milliseconds / 1000),
      nacked: (typeUrl) => {
        this.#rejects.inc();
        this.#rejectsOf.get(short(typeUrl))?.inc();
      },
      unknownType: () => this.#unknownTypes.inc(),
      withheld: (proxy, names) => {
        this.#withheld.inc(names.length);
        tell(`${proxy}: asks for secrets that are not there, or not for it: ${shown(names)}`);
      },
      oversized: () => this.#oversized.inc(),
      failed: () => this.#internalErrors.inc(),
      slowReader: () => this.#slowReaders.inc(),
      refused: (peer, code, reason) => {
        this.#refused.inc({ status: String(code) });
        tell(`${peer}: ${reason}`);
      },
      handshakeFailed: (peer, error) => {
        this.#handshakes.inc();
        // Who hangs up half way was not turned away: a probe, or an Envoy that has a newer certificate by now.
        if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') tell(`${peer}: TLS: ${error.message}`);
      },
    };
  }

  keysFetched(ok: boolean): void {
    (ok ? this.#keysFetched : this.#keysNotFetched).inc();
  }

  /** Shows how many listeners contend whenever it is asked. */
  watchConflicts(count: () => number): void {
    new Gauge({
      name: 'pilot_conflict_outbound_listener_tcp_over_current_tcp',
      help: 'Ports of services without an outbound listener of their own, as an older service has it; TCP, or TCP beside HTTP.',
      registers: [this.registry],
      collect() {
        this.set(count());
      },
    });
  }

  /** Shows how it stands with keys whenever it is asked. */
  watchKeys(status: () => readonly KeySourceStatus[]): void {
    const registers = [this.registry];
    new Gauge({
      name: 'seine_jwks_age_seconds',
      help: 'Seconds since the oldest keys in force were fetched.',
      registers,
      collect() {
        this.set(Math.max(0, ...status().map(({ ageSeconds = 0 }) => ageSeconds)));
      },
    });
    new Gauge({
      name: 'seine_jwks_sources',
      help: 'Places that keys are fetched from, by how it stands with them.',
      labelNames: ['state'],
      registers,
      collect() {
        const sources = status();
        for (const state of ['ready', 'stale', 'failed', 'loading'] as const)
          this.set({ state }, sources.filter((source) => source.state === state).length);
      },
    });
  }

  pushed(
    revision: number,
    milliseconds: number,
    sizes: { readonly services: number; readonly virtualServices: number; readonly subsets: number },
  ): void {
    this.#pushTime.observe(milliseconds / 1000);
    this.#mesh.pushed();
    this.#revision.set(revision);
    this.#sizes.get('services')?.set(sizes.services);
    this.#sizes.get('virtualServices')?.set(sizes.virtualServices);
    this.#sizes.get('subsets')?.set(sizes.subsets);
  }
}
