import { readFileSync } from 'node:fs';
import { Gauge, type Registry } from 'prom-client';

const name = 'istio_build';

/** The version of all of Seine's packages, from package.json: it stands one folder above the sources and the built code alike. */
function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** Adds a part of a program to Istio's metric of what runs in which version. @param component `pilot` */
export function announceBuild(registry: Registry, component: string): void {
  const help = 'What runs here, by part and version.';
  const known = registry.getSingleMetric(name) as Gauge<'component' | 'tag'> | undefined;
  // A program of several parts has one registry.
  const gauge = known ?? new Gauge({ name, help, labelNames: ['component', 'tag'], registers: [registry] });
  gauge.set({ component, tag: ownVersion() }, 1);
}
