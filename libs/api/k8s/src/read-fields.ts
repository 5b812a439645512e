/**
 * Reading of fields of objects that nobody has validated (core Kubernetes kinds written by hand). A field of the wrong
 * type reads as absent, so that no input can make a conversion throw.
 */

export type Labels = Readonly<Record<string, string>>;
export type Fields = Readonly<Record<string, unknown>>;

const noFields: Fields = Object.freeze({});
export const noLabels: Labels = Object.freeze({});

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : noFields;
}

/** The items of a list that are objects. */
export function itemsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf).filter((item) => item !== noFields) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string' && item !== '') : [];
}

/** A port number, 1 to 65535; undefined for anything else. */
export function portOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65536 ? value : undefined;
}

/** A map of texts; numbers and booleans, which YAML makes of unquoted label values, count as their text. */
export function labelsOf(value: unknown): Labels {
  const entries = Object.entries(fieldsOf(value)).filter(([, item]) =>
    ['string', 'number', 'boolean'].includes(typeof item),
  );
  return entries.length === 0 ? noLabels : Object.fromEntries(entries.map(([key, item]) => [key, String(item)]));
}

/** A selector as written; undefined when there is none, or when it is empty (which selects nothing in a Service). */
export function selectorOf(value: unknown): Labels | undefined {
  const labels = labelsOf(value);
  return labels === noLabels ? undefined : labels;
}

/** Whether two texts order, by UTF-16 code unit: the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
