import type { PolicyExplanation } from '@seine/pipeline';
import type { Cell, Row } from './table.js';

export const policyHeader = ['POLICY', 'PART', 'DECIDED IN', 'FILTER', 'WORKLOADS'] as const;

const colours = { proxy: 'green', both: 'yellow', service: 'yellow', never: 'dim' } as const;
const manyWorkloads = 3;

function placeOf({ place, service = 'a service' }: PolicyExplanation): Cell {
  const texts = { proxy: 'proxy', service, both: `proxy, ${service}`, never: 'never' };
  return { text: texts[place], colour: colours[place] };
}

function some(workloads: readonly string[]): string {
  const rest = workloads.length - manyWorkloads;
  return rest > 0 ? `${workloads.slice(0, manyWorkloads).join(' ')} and ${rest} more` : workloads.join(' ');
}

/** A row for each part of a policy and each of the ways in which it is decided; why it is so stands under it. */
export function policyRows(explanations: readonly PolicyExplanation[]): readonly Row[] {
  return explanations.map((explanation) => {
    const { kind, namespace, name, part, filter, workloads, why } = explanation;
    return {
      cells: [`${kind} ${namespace}/${name}`, part, placeOf(explanation), filter ?? '-', some(workloads)],
      notes: why,
    };
  });
}
