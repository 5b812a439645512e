import type { Directory, End, Side, Value } from '@seine/mixer';
import type { LogEnd } from './log-sink.js';

export type Attributes = ReadonlyMap<string, Value>;

/** So many ends are remembered; there are few in a mesh, but for addresses of clients from outside. */
const maxRemembered = 20_000;

/** What Istio's attributes are for an end of a call: as the directory knows it, else as its proxy calls it. */
export class EndAttributes {
  #directory: Directory | undefined;
  readonly #known = new Map<string, Attributes>();

  constructor(private readonly directory: () => Directory | undefined) {}

  of(side: Side, end: End, said: LogEnd): Attributes {
    const directory = this.directory();
    if (directory !== this.#directory) {
      this.#directory = directory;
      this.#known.clear();
    }
    const key = `${side} ${end.address} ${end.identity} ${end.workload} ${end.service} ${side === 'source' ? 0 : end.port} ${said.namespace} ${said.workload}`;
    const known = this.#known.get(key);
    if (known) return known;
    const made = new Map<string, Value>();
    directory?.fill(side, end, made);
    for (const [name, value] of saidOf(side, said)) if (!made.has(name)) made.set(name, value);
    if (this.#known.size >= maxRemembered) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }
}

function saidOf(
  side: Side,
  { workload, namespace, app, version, principal }: LogEnd,
): readonly (readonly [string, Value])[] {
  const labels = [
    ...(app === '' ? [] : [['app', app] as const]),
    ...(version === '' ? [] : [['version', version] as const]),
  ];
  const values: readonly (readonly [string, Value])[] = [
    ['namespace', namespace],
    ['workload.name', workload],
    ['workload.namespace', namespace],
    ['principal', principal.replace(/^spiffe:\/\//, '')],
    ['user', principal.replace(/^spiffe:\/\//, '')],
    ['labels', new Map(labels)],
  ];
  return values.flatMap(([name, value]) => {
    const isThere = value instanceof Map ? value.size > 0 : value !== '';
    return isThere ? [[`${side}.${name}`, value] as const] : [];
  });
}
