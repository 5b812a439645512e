import type { Diagnostic } from '@seine/diagnostics';
import { type PlacedItem, positionOf } from './placed-items.js';

/** Tells each of several definitions of one object which of them counts. */
export function duplicateDiagnostics(winner: PlacedItem, all: readonly PlacedItem[]): readonly Diagnostic[] {
  const object = winner.item.identity?.ref;
  if (all.length < 2 || !object) return [];
  const inForce = positionOf(winner.document);
  const hidden = all.filter((placed) => placed !== winner).map((placed) => positionOf(placed.document));
  const places = hidden.map(({ file, line }) => `${file}:${line}`).join(', ');
  return [
    ...hidden.map((position): Diagnostic => ({
      severity: 'warning',
      code: 'SEINE-DUPLICATE-OBJECT',
      message: `This definition is not in force: the object is defined again at ${inForce.file}:${inForce.line}; keep one of them.`,
      object,
      position,
    })),
    {
      severity: 'warning',
      code: 'SEINE-DUPLICATE-OBJECT',
      message: `This definition is in force and hides the one at ${places}; keep one of them.`,
      object,
      position: inForce,
    },
  ];
}
