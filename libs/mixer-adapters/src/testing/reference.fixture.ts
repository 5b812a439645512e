import type { AdapterKind } from '@seine/mixer';
import type { JsonSchema } from '@seine/k8s';

/** A type in words. */
function typeOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((name) => `\`${name}\``).join(', ');
  if (schema.format?.startsWith('duration')) return 'duration';
  switch (schema.type) {
    case 'array':
      return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
    case 'object':
      if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`;
      return 'object';
    case 'string':
      return 'text';
    case 'boolean':
      return 'flag';
    default:
      return typeof schema.type === 'string' ? schema.type : 'anything';
  }
}

const defaultOf = ({ default: value }: JsonSchema): string => {
  const empty = value === undefined || value === '' || /^(\{\}|\[\])$/.test(JSON.stringify(value));
  return empty ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
};

/** Rows of a message's fields, those of messages inside it behind theirs. */
function rows(schema: JsonSchema, prefix: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const row = `| \`${path}\` | ${typeOf(field)} | ${defaultOf(field)} | ${(field.description ?? '').replaceAll('|', '\\|')} |`;
    const inside =
      field.type === 'array'
        ? { schema: field.items, at: `${path}[].` }
        : typeof field.additionalProperties === 'object'
          ? { schema: field.additionalProperties, at: `${path}.*.` }
          : { schema: field, at: `${path}.` };
    return [row, ...(inside.schema ? rows(inside.schema, inside.at) : [])];
  });
}

/** The reference of adapters' parameters, in Markdown. */
export function adapterReference(kinds: readonly AdapterKind[]): string {
  const sections = [...kinds]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, aliases = [], templates, params }) => {
      const names = aliases.length > 0 ? ` (also ${aliases.map((alias) => `\`${alias}\``).join(', ')})` : '';
      const takes = `\`${name}\`${names} takes ${templates.map((template) => `\`${template}\``).join(', ')}.`;
      const table = rows(params, '');
      const fields = ['| param | type | default | |', '| --- | --- | --- | --- |', ...table].join('\n');
      return [
        `### ${name}`,
        takes,
        ...(params.description ? [params.description] : []),
        ...(table.length > 0 ? [fields] : []),
      ].join('\n\n');
    });
  return `${sections.join('\n\n')}\n`;
}
