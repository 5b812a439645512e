import fs from 'node:fs';
import path from 'node:path';
import { casesFolder } from './repository.js';

/** One file of real YAML and what its index says it must do. */
export interface RealCase {
  /** Relative to the folder of cases. */
  readonly file: string;
  /** `OK`, `REJECT`, `ANALYZE`, … */
  readonly verdict: string;
  readonly yaml: string;
}

/** The kinds that make traffic flow; the other kinds of Istio are other features’ matter. */
const networking =
  /^kind: *['"]?(VirtualService|DestinationRule|ServiceEntry|WorkloadEntry|Gateway|HTTPRoute|Ingress|EnvoyFilter|Sidecar|Telemetry|WasmPlugin|TrafficExtension|ProxyConfig|WorkloadGroup|Service|Deployment|Pod|Endpoints|EndpointSlice)['"]?\s*$/m;

/** Files that hold at least one networking object, without those that are templates of a program. */
export function networkingCases(): RealCase[] {
  const folder = casesFolder();
  const lines = fs.readFileSync(path.join(folder, 'index.tsv'), 'utf8').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [file = '', what = ''] = line.split('\t');
    if (!/\.(yaml|yml|json)$/.test(file)) return [];
    const yaml = fs.readFileSync(path.join(folder, file), 'utf8');
    if (!networking.test(yaml) || yaml.includes('{{')) return [];
    return [{ file, verdict: what.split(' ')[0] ?? '', yaml }];
  });
}
