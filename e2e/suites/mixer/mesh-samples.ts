import type { Envoy } from '../../src/index.js';

export type Labels = Readonly<Record<string, string>>;

/** Series of the mesh's metrics: name, labels and value. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Labels that stay empty where there is nothing to say, in both ways of counting. */
const mayBeEmpty: ReadonlySet<string> = new Set(['grpc_response_status', 'response_flags']);

function parse(text: string, prefix: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, list = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (!name?.startsWith(prefix)) return [];
    const labels = [...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', label = '']) => {
      const isMissing = (label === '' || label === '-') && !mayBeEmpty.has(key);
      return [key, isMissing ? 'unknown' : label] as const;
    });
    return [{ name: name.slice(prefix.length), labels: Object.fromEntries(labels), value: Number(value) }];
  });
}

/** What a mixer has counted of the mesh. @param admin `host:port` */
export async function mixerSamples(admin: string): Promise<readonly Sample[]> {
  return parse(await (await fetch(`http://${admin}/stats/prometheus`)).text(), 'istio_');
}

/** What an Envoy has counted by itself, under the same names. */
export async function proxySamples(envoy: Envoy): Promise<readonly Sample[]> {
  return parse(await envoy.admin('/stats/prometheus?filter=istio_'), 'envoy_seine_istio_');
}

/** The series of a metric that have these labels. */
export function having(samples: readonly Sample[], name: string, labels: Labels = {}): readonly Sample[] {
  return samples.filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
}

export function total(samples: readonly Sample[], name: string, labels: Labels = {}): number {
  return having(samples, name, labels).reduce((sum, { value }) => sum + value, 0);
}

/** Series as text in an order of their own, to be compared. */
export function inOrder(samples: readonly Sample[]): readonly string[] {
  return samples
    .map(({ name, labels, value }) => `${name} ${JSON.stringify(Object.entries(labels).sort())} ${value}`)
    .sort();
}
