import type { JsonSchema, KindInfo } from '@seine/k8s';

/** A message that has a section of its own on the page. */
interface Section {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** The message in a field's schema, and how the field holds it: itself, in a list, or in a map. */
function messageOf(schema: JsonSchema): { readonly message: JsonSchema | undefined; readonly suffix: string } {
  if (schema.properties) return { message: schema, suffix: '' };
  const inner =
    schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
  return { message: inner?.properties && inner, suffix: schema.items ? '[]' : '.*' };
}

/**
 * All messages of a spec, in the order in which a reader meets them. One that is used in several places has one section,
 * at its first place: a message and its copies share their table of fields.
 */
function sectionsOf(spec: JsonSchema): ReadonlyMap<object, Section> {
  const sections = new Map<object, Section>();
  const visit = (path: string, schema: JsonSchema): void => {
    const { properties } = schema;
    if (!properties || sections.has(properties)) return;
    sections.set(properties, { path, schema });
    for (const [name, field] of Object.entries(properties)) {
      const { message, suffix } = messageOf(field);
      if (message) visit(`${path}.${name}${suffix}`, message);
    }
  };
  visit('spec', spec);
  return sections;
}

function anchorOf(path: string): string {
  return path.replaceAll('[]', '').replaceAll('.*', '').replaceAll('.', '-').toLowerCase();
}

const scalarNames: Readonly<Record<string, string>> = {
  duration: 'duration',
  'duration-or-zero': 'duration',
  byte: 'base64',
};

function scalarType(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const { type } = schema;
  return scalarNames[schema.format ?? ''] ?? (typeof type === 'string' ? type : 'any');
}

function typeOf(schema: JsonSchema, sections: ReadonlyMap<object, Section>): string {
  if (schema.properties) {
    const path = sections.get(schema.properties)?.path ?? '';
    return `[object](#${anchorOf(path)})`;
  }
  if (schema.items) return `list of ${typeOf(schema.items, sections)}`;
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties, sections)}`;
  return schema.type === 'object' ? 'any object' : scalarType(schema);
}

function boundsOf({ format, minimum, maximum, minItems, maxItems }: JsonSchema): string {
  const low = format === 'int32' && minimum === -(2 ** 31) ? undefined : minimum;
  const high = maximum === 2 ** 31 - 1 || maximum === 2 ** 32 - 1 ? undefined : maximum;
  const items = minItems !== undefined && minItems > 0 ? ` At least ${minItems}.` : '';
  const most = maxItems === undefined ? '' : ` At most ${maxItems}.`;
  if (low !== undefined && high !== undefined) return ` ${low} to ${high}.`;
  return `${low !== undefined && low > 0 ? ` At least ${low}.` : ''}${items}${most}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function table({ schema }: Section, sections: ReadonlyMap<object, Section>): readonly string[] {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    [
      `\`${name}\``,
      typeOf(field, sections),
      required.has(name) ? 'yes' : '',
      field['x-seine-fallback'] === undefined ? '' : `\`${field['x-seine-fallback']}\``,
      `${field.description ?? ''}${boundsOf(field)}`,
    ].map(cell),
  );
  return [
    '| Field | Type | Required | Default | Description |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
}

function rulesOf({ schema }: Section): readonly string[] {
  const groups = (schema['x-seine-oneofs'] ?? []).map(
    (group) => `At most one of ${group.map((field) => `\`${field}\``).join(', ')} may be set.`,
  );
  const rules = (schema['x-kubernetes-validations'] ?? []).map(({ message }) => `Refused otherwise: ${message}.`);
  const all = [...groups, ...rules];
  return all.length === 0 ? [] : ['', ...all.map((text) => `- ${text}`)];
}

function sectionText(section: Section, sections: ReadonlyMap<object, Section>): readonly string[] {
  const { path, schema } = section;
  return [
    '',
    `<a id="${anchorOf(path)}"></a>`,
    '',
    `## \`${path}\``,
    '',
    schema.description ?? '',
    '',
    ...table(section, sections),
    ...rulesOf(section),
  ];
}

/** The reference page of a kind, in Markdown: what it is for, and a table of fields for each of its messages. */
export function referencePage(info: KindInfo): string {
  const { kind, group, versions, shortNames, plural, actedOn } = info;
  const spec = info.schema?.properties?.['spec'] ?? {};
  const sections = sectionsOf(spec);
  const names = [plural, ...shortNames].map((name) => `\`${name}\``).join(', ');
  const effect = actedOn ? 'yes' : 'no: it is checked and kept, and a warning says so';
  return [
    `# ${kind}`,
    '',
    spec.description ?? '',
    '',
    `- API versions: ${versions.map(({ name }) => `\`${group}/${name}\``).join(', ')}`,
    `- Names on the command line: ${names}`,
    `- In force in the mesh: ${effect}`,
    '',
    'Generated from the definition of the kind, as is its CustomResourceDefinition.',
    ...[...sections.values()].flatMap((section) => sectionText(section, sections)),
    '',
  ].join('\n');
}
