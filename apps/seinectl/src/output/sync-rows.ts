import type { ProxySync, Syncz, TypeSync } from '../client/syncz.js';
import { formatAge } from './format.js';
import type { Cell, Row } from './table.js';

export const syncHeader = ['NAME', 'CLUSTER', 'CDS', 'LDS', 'EDS', 'RDS', 'PILOT', 'VERSION'];

/** The types that every Envoy asks for; others, secrets for one, show when they are refused. */
const types = ['cds', 'lds', 'eds', 'rds'] as const;

/**
 * One row for each proxy by name; what a proxy refused stands under it.
 * @param pilot the address of the pilot that was asked
 */
export function syncRows(syncz: Syncz, pilot: string, now: number): Row[] {
  return [...syncz.proxies]
    .sort((a, b) => (fullName(a) < fullName(b) ? -1 : 1))
    .map((proxy) => ({
      cells: [
        fullName(proxy),
        proxy.cluster || '-',
        ...types.map((type) => typeCell(proxy.types[type], proxy.connected, now)),
        pilot,
        proxy.envoyVersion || '-',
      ],
      notes: notesOf(proxy),
    }));
}

export function fullName(proxy: Pick<ProxySync, 'name' | 'namespace'>): string {
  return proxy.namespace ? `${proxy.name}.${proxy.namespace}` : proxy.name;
}

export function isRefusing(proxy: ProxySync): boolean {
  return Object.values(proxy.types).some((type) => type?.status === 'REJECTED');
}

function typeCell(sync: TypeSync | undefined, connected: boolean, now: number): Cell {
  const status = sync?.status ?? 'NOT SENT';
  if (status === 'REJECTED') return { text: status + since(sync?.nack?.at, now), colour: 'red' };
  if (!connected) return { text: 'DISCONNECTED', colour: 'red' };
  if (status === 'STALE') return { text: status + since(sync?.pendingSince, now), colour: 'yellow' };
  return { text: status, colour: status === 'SYNCED' ? 'green' : 'dim' };
}

/** ` (3m)`, or nothing where the time is not known. */
function since(time: string | undefined, now: number): string {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? '' : ` (${formatAge(now - at)})`;
}

function notesOf(proxy: ProxySync): string[] {
  return Object.entries(proxy.types).flatMap(([type, sync]) => {
    const nack = sync?.nack;
    return nack ? [`${type.toUpperCase()} refused: ${nack.message.trim()}`] : [];
  });
}
