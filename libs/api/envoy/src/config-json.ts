import { type DescField, type DescMessage, fromJson, type JsonValue, type Registry } from '@bufbuild/protobuf';
import { makeRegistry } from './descriptors.js';
import { isForeignType, newerTypes, typeNameOf } from './known-types.js';
import { pgvViolations } from './pgv-check.js';

/** What is wrong with a piece of Envoy config in JSON. */
export interface JsonProblem {
  /**
   * `invalid`: Envoy could not read it. `unknown-field`: it is ignored. `unknown-type`: nobody knows the `@type`.
   * `foreign-type`: plain Envoy does not have it. `rule`: Envoy would refuse the value.
   */
  readonly kind: 'invalid' | 'unknown-field' | 'unknown-type' | 'foreign-type' | 'rule';
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Path = JsonProblem['path'];
type Fields = Readonly<Record<string, unknown>>;

let registry: Registry | undefined;

/** A registry of its own: checking config must not wait for the generated code of all messages. */
function types(): Registry {
  return (registry ??= makeRegistry([]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const typedStructs: ReadonlySet<string> = new Set(['udpa.type.v1.TypedStruct', 'xds.type.v3.TypedStruct']);

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

class Check {
  readonly found: JsonProblem[] = [];

  private report(kind: JsonProblem['kind'], path: Path, message: string): void {
    this.found.push({ kind, path, message });
  }

  message(desc: DescMessage, json: unknown, path: Path): void {
    if (desc.typeName === 'google.protobuf.Any') this.any(json, path);
    else if (desc.typeName.startsWith('google.protobuf.')) this.tryRead(desc, json, path, expectedOf(desc));
    else if (isFields(json)) this.fields(desc, json, path);
    else this.report('invalid', path, `Got ${shown(json)}, expected an object: ${desc.typeName}.`);
  }

  private fields(desc: DescMessage, json: Fields, path: Path): void {
    const oneofs = new Map<string, string>();
    for (const [key, value] of Object.entries(json)) {
      const field = desc.fields.find((f) => f.name === key || f.jsonName === key);
      if (!field) this.report('unknown-field', [...path, key], `${desc.typeName} has no field ${JSON.stringify(key)}.`);
      else if (value !== null) {
        const other = field.oneof && oneofs.get(field.oneof.name);
        if (other !== undefined)
          this.report('invalid', [...path, key], `${key} and ${other} exclude each other; give one of them.`);
        else if (field.oneof) oneofs.set(field.oneof.name, key);
        this.field(desc, field, key, value, [...path, key]);
      }
    }
  }

  private field(desc: DescMessage, field: DescField, key: string, value: unknown, path: Path): void {
    if (field.fieldKind === 'list') {
      if (!Array.isArray(value)) this.report('invalid', path, `Got ${shown(value)}, expected a list.`);
      else
        value.forEach((item: unknown, i) => {
          if (field.message) this.message(field.message, item, [...path, i]);
          else this.tryRead(desc, { [key]: [item] }, [...path, i], scalarOf(field));
        });
    } else if (field.fieldKind === 'map') {
      if (!isFields(value)) this.report('invalid', path, `Got ${shown(value)}, expected an object.`);
      else
        for (const [name, item] of Object.entries(value)) {
          if (field.message) this.message(field.message, item, [...path, name]);
          else this.tryRead(desc, { [key]: { [name]: item } }, [...path, name], scalarOf(field));
        }
    } else if (field.message) this.message(field.message, value, path);
    else this.tryRead(desc, { [key]: value }, path, scalarOf(field));
  }

  private tryRead(desc: DescMessage, json: unknown, path: Path, expected: string): void {
    try {
      fromJson(desc, json as JsonValue, { registry: types() });
    } catch {
      const value = path.length > 0 && isFields(json) && Object.keys(json).length === 1 ? leafOf(json) : json;
      this.report('invalid', path, `Got ${shown(value)}, expected ${expected}.`);
    }
  }

  private any(json: unknown, path: Path): void {
    if (!isFields(json)) {
      this.report('invalid', path, `Got ${shown(json)}, expected an object with "@type".`);
      return;
    }
    const { '@type': typeUrl, ...rest } = json;
    if (typeof typeUrl !== 'string' || typeUrl === '') {
      this.report(
        'invalid',
        [...path, '@type'],
        'is required: type.googleapis.com/ and the name of a message of Envoy.',
      );
      return;
    }
    const name = typeNameOf(typeUrl);
    const desc = types().getMessage(name);
    if (!desc) this.unknown(name, [...path, '@type']);
    else if (name.startsWith('google.protobuf.')) this.message(desc, rest['value'], [...path, 'value']);
    else if (typedStructs.has(name)) this.typedStruct(rest, path);
    else this.fields(desc, rest, path);
  }

  private unknown(name: string, path: Path): void {
    if (newerTypes.has(name)) return;
    if (isForeignType(name))
      this.report('foreign-type', path, `Plain Envoy has no ${name}; Istio's proxy or a contrib build of Envoy has.`);
    else {
      const hint = name.includes('.v2.') ? '; use the v3 API' : '';
      this.report('unknown-type', path, `There is no type ${name} in Envoy's configuration${hint}.`);
    }
  }

  private typedStruct(json: Fields, path: Path): void {
    const { type_url: snake, typeUrl = snake, value = {} } = json;
    if (typeof typeUrl !== 'string') {
      this.report('invalid', [...path, 'type_url'], 'is required: the type that the value is of.');
      return;
    }
    const desc = types().getMessage(typeNameOf(typeUrl));
    if (desc) this.message(desc, value, [...path, 'value']);
    else this.unknown(typeNameOf(typeUrl), [...path, 'type_url']);
  }
}

/** The one value in `{ field: value }`, `{ field: [value] }` or `{ field: { key: value } }`. */
function leafOf(json: Fields): unknown {
  const [only] = Object.values(json);
  if (Array.isArray(only) && only.length === 1) return only[0];
  return isFields(only) && Object.keys(only).length === 1 ? Object.values(only)[0] : only;
}

function scalarOf(field: DescField): string {
  if (field.enum) return `one of ${field.enum.values.map((value) => value.name).join(', ')}`;
  const scalar = field.scalar === undefined ? '' : (scalarNames[field.scalar] ?? '');
  return scalar === '' ? 'another type' : scalar;
}

const number = 'a number';
const integer = 'a whole number';
/** By google.protobuf.FieldDescriptorProto.Type. */
const scalarNames: Readonly<Record<number, string>> = {
  1: number,
  2: number,
  3: integer,
  4: `${integer} ≥ 0`,
  5: integer,
  6: `${integer} ≥ 0`,
  7: `${integer} ≥ 0`,
  8: 'true or false',
  9: 'a text',
  12: 'bytes in base64',
  13: `${integer} from 0 to 4294967295`,
  15: integer,
  16: integer,
  17: integer,
  18: integer,
};

function expectedOf(desc: DescMessage): string {
  if (desc.name === 'Duration') return 'a duration in seconds, as 5s or 0.25s';
  if (desc.name === 'Timestamp') return 'a time, as 2026-01-31T12:00:00Z';
  const [value] = desc.fields;
  return desc.name.endsWith('Value') && value?.scalar ? scalarOf(value) : `a ${desc.name}`;
}

/** `Cluster.load_assignment.endpoints[0].x<Lua>.y` without its first name and the types: steps into JSON. */
function stepsOf(complaint: string): readonly (string | number)[] {
  return [...complaint.replace(/<\w+>/g, '').matchAll(/\.(\w+)|\[([^\]]*)\]/g)].map(([, name, key]) =>
    name !== undefined ? name : /^\d+$/.test(key ?? '') ? Number(key) : (key ?? ''),
  );
}

function ruleProblems(desc: DescMessage, json: unknown): readonly JsonProblem[] {
  const message = fromJson(desc, json as JsonValue, { registry: types(), ignoreUnknownFields: true });
  return pgvViolations(desc, message, (name) => types().getMessage(name)).map(({ path, complaint }) => ({
    kind: 'rule',
    path: stepsOf(path),
    message: complaint,
  }));
}

/**
 * Looks for what Envoy could not read, or would refuse, in a message written as JSON.
 * @param typeName the message: `envoy.config.cluster.v3.Cluster`
 * @param whole whether it is all of the message, so that the rules for its values hold; a part may lack what they ask for
 */
export function checkEnvoyJson(typeName: string, json: unknown, whole: boolean): readonly JsonProblem[] {
  const desc = types().getMessage(typeName);
  if (!desc) throw new Error(`Envoy has no message ${typeName}`);
  if (isDeeper(json, deepest))
    return [{ kind: 'invalid', path: [], message: `is nested more than ${deepest} levels deep.` }];
  const check = new Check();
  check.message(desc, json, []);
  const readable = check.found.every(({ kind }) => kind === 'unknown-field');
  if (!whole || !readable || hasNewerTypes(json)) return check.found;
  return [...check.found, ...ruleProblems(desc, json)];
}

/** As in Envoy's own reader of protos. */
const deepest = 100;

function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return false;
  return levels === 0 || Object.values(json).some((value) => isDeeper(value, levels - 1));
}

/** Types without a descriptor cannot be read here, hence not checked by rules. */
function hasNewerTypes(json: unknown): boolean {
  if (Array.isArray(json)) return json.some(hasNewerTypes);
  if (!isFields(json)) return false;
  const typeUrl = json['@type'];
  return (
    (typeof typeUrl === 'string' && newerTypes.has(typeNameOf(typeUrl))) || Object.values(json).some(hasNewerTypes)
  );
}
