import type { ChangeResult, ObjectChange } from '../client/config-api.js';
import { objectName } from './object-rows.js';
import type { Output } from './output.js';

const words: Readonly<Record<ObjectChange['outcome'], string>> = {
  created: 'created',
  configured: 'configured',
  unchanged: 'unchanged',
  rejected: 'refused',
  deleted: 'deleted',
  restored: 'deleted',
  in_file: 'not deleted',
  not_found: 'not found',
};

/** kubectl's lines: `virtualservice.networking.istio.io/reviews configured (dry run)`. */
export function changeLine({ id, outcome }: ObjectChange, dryRun: boolean): string {
  const name = id ? objectName(id.kind, id.group, id.name) : 'an object without a name';
  return `${name} ${words[outcome]}${dryRun ? ' (dry run)' : ''}`;
}

/** One line for each object to stdout; what else is to know to stderr. */
export function printChanges(result: ChangeResult, dryRun: boolean, output: Output): void {
  for (const change of result.changes) {
    output.line(changeLine(change, dryRun));
    if (change.note) output.progress(`  ${change.note}`);
  }
}

const failures: ReadonlySet<ObjectChange['outcome']> = new Set(['rejected', 'in_file', 'not_found']);

export function hasFailed(result: ChangeResult): boolean {
  return result.changes.some((change) => failures.has(change.outcome));
}
