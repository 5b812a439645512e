/** Text that YAML reads back as the same string without quotes, with a margin of safety. */
const plain = /^[A-Za-z/.][\w./ ()-]*$/;
const reserved = /^(?:true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i;

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const bare = plain.test(value) && !reserved.test(value) && !value.endsWith(' ') && !/^\.\d/.test(value);
  return bare ? value : JSON.stringify(value);
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

function lines(value: unknown, indent: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar(value)}`];
  if (isEmpty(value)) return [`${indent}${Array.isArray(value) ? '[]' : '{}'}`];
  if (Array.isArray(value))
    return value.flatMap((item: unknown) => {
      const [first = '', ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  return Object.entries(value).flatMap(([key, field]) => {
    const name = `${indent}${scalar(key)}:`;
    if (typeof field !== 'object' || field === null || isEmpty(field as object))
      return [`${name} ${lines(field, '').join('')}`];
    return [name, ...lines(field, `${indent}  `)];
  });
}

/** Writes a JSON value as YAML, the same for the same value: strings that need it are quoted as JSON quotes them. */
export function yamlText(value: unknown): string {
  return `${lines(value, '').join('\n')}\n`;
}
