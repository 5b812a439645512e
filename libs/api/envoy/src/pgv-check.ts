import {
  type DescField,
  type DescMessage,
  fromBinary,
  getOption,
  type MessageShape,
  ScalarType,
  isMessage,
} from '@bufbuild/protobuf';
import { isReflectMessage, reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { AnySchema, FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { disabled, type FieldRules, FieldRulesSchema, ignored, required, rules } from './gen/validate/validate_pb.js';
import { typeNameOf } from './known-types.js';
import { type RuleSet, ruleSet, violation } from './pgv-rules.js';

/** Where a complaint goes, and where the types of Anys come from. */
interface Report {
  (path: string, complaint: string): void;
  readonly messageOf: MessageLookup;
}

/** Finds a message by its full name; undefined where it is not known. */
export type MessageLookup = (name: string) => DescMessage | undefined;

export interface PgvViolation {
  /** `Cluster.connect_timeout` */
  readonly path: string;
  /** `must be > 0` */
  readonly complaint: string;
}

interface Rules {
  /** Which kind of rules: `string`, `uint32`, `repeated`, … */
  readonly kind: string;
  readonly set: RuleSet;
  readonly skip: boolean;
  readonly required: boolean;
}

const typeOfRules = FieldRulesSchema.oneofs[0];
const none: Rules = { kind: '', set: new Map(), skip: false, required: false };
const known = new WeakMap<DescField, Rules>();

function rulesOf(field: DescField): Rules {
  let found = known.get(field);
  if (!found) known.set(field, (found = readRules(getOption(field, rules))));
  return found;
}

function readRules(fieldRules: FieldRules): Rules {
  const reflected = reflect(FieldRulesSchema, fieldRules);
  const kind = typeOfRules && reflected.oneofCase(typeOfRules);
  const set = kind ? ruleSet(reflected.get(kind)) : none.set;
  const { message } = fieldRules;
  return {
    kind: kind?.name ?? '',
    set,
    skip: message?.skip ?? false,
    required: (message?.required ?? false) || set.get('required') === true,
  };
}

/** The rules for items, keys or values, which stand in a rule of the list or map. */
function nestedRules(set: RuleSet, name: 'items' | 'keys' | 'values'): Rules {
  const nested = set.get(name);
  return isMessage(nested, FieldRulesSchema) ? readRules(nested) : none;
}

/**
 * Checks a message by the rules that Envoy itself checks when it takes config in: protoc-gen-validate's, which its
 * protos carry as field options (validate/validate.proto). Opens every `Any` of a type that is found.
 * @returns empty when Envoy would take the message
 */
export function pgvViolations<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  messageOf: MessageLookup,
): readonly PgvViolation[] {
  const found: PgvViolation[] = [];
  const report = (path: string, complaint: string): void => void found.push({ path, complaint });
  checkMessage(reflect(schema, message), schema.name, Object.assign(report, { messageOf }));
  return found;
}

function checkMessage(message: ReflectMessage, path: string, report: Report): void {
  const { desc } = message;
  if (desc.typeName === AnySchema.typeName) checkAny(message, path, report);
  if (desc.file.proto.package === 'google.protobuf') return;
  if (getOption(desc, disabled) || getOption(desc, ignored)) return;
  for (const oneof of desc.oneofs)
    if (getOption(oneof, required) && !message.oneofCase(oneof)) report(`${path}.${oneof.name}`, 'one must be set');
  for (const field of desc.fields) checkField(message, field, `${path}.${field.name}`, report);
}

function checkAny({ message }: ReflectMessage, path: string, report: Report): void {
  if (!isMessage(message, AnySchema)) return;
  const schema = report.messageOf(typeNameOf(message.typeUrl));
  if (schema) checkMessage(reflect(schema, fromBinary(schema, message.value)), `${path}<${schema.name}>`, report);
}

function checkField(message: ReflectMessage, field: DescField, path: string, report: Report): void {
  const own = rulesOf(field);
  if (own.skip) return;
  if (field.fieldKind === 'list') checkList([...message.get(field)], field, own, path, report);
  else if (field.fieldKind === 'map') checkMap([...message.get(field)], own, path, report);
  else if (field.fieldKind !== 'message') checkSingle(message, field, own, path, report);
  else if (message.isSet(field)) checkValue(message.get(field), own, path, report);
  else if (own.required && !field.oneof) report(path, 'is required');
}

type SingleField = DescField & { readonly fieldKind: 'scalar' | 'enum' };

function checkSingle(message: ReflectMessage, field: SingleField, own: Rules, path: string, report: Report): void {
  if (!message.isSet(field) && field.presence !== FeatureSet_FieldPresence.IMPLICIT) return;
  const value: unknown = message.get(field);
  const isBytes = field.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES;
  const kind = field.fieldKind === 'enum' ? 'enum' : isBytes ? 'bytes' : own.kind;
  checkScalar(value, { ...own, kind }, path, report);
  if (field.fieldKind === 'enum' && own.set.get('defined_only') === true && !field.enum.value[Number(value)])
    report(path, `${String(value)} is no value of ${field.enum.name}`);
}

function checkScalar(value: unknown, own: Rules, path: string, report: Report): void {
  const complaint = own.kind && violation(own.kind, value, own.set);
  if (complaint) report(path, complaint);
}

/** A value that is there: a message, a wrapper of a scalar, or a scalar. */
function checkValue(value: unknown, own: Rules, path: string, report: Report): void {
  if (!isReflectMessage(value)) {
    checkScalar(value, own, path, report);
    return;
  }
  const [only] = value.desc.fields;
  const isWrapper = value.desc.file.name === 'google/protobuf/wrappers' && only;
  if (isWrapper) checkScalar(value.get(only), own, path, report);
  else {
    checkScalar(value.message, own, path, report);
    checkMessage(value, path, report);
  }
}

function checkCount(count: number, own: Rules, least: string, most: string, path: string, report: Report): void {
  const [min, max] = [own.set.get(least), own.set.get(most)];
  if (min !== undefined && count < Number(min)) report(path, `must have at least ${Number(min)}`);
  if (max !== undefined && count > Number(max)) report(path, `must have at most ${Number(max)}`);
}

function checkList(values: readonly unknown[], field: DescField, own: Rules, path: string, report: Report): void {
  if (values.length === 0 && own.set.get('ignore_empty') === true) return;
  checkCount(values.length, own, 'min_items', 'max_items', path, report);
  if (own.set.get('unique') === true && new Set(values).size < values.length) report(path, 'must be unique');
  const items = nestedRules(own.set, 'items');
  const kind = field.fieldKind === 'list' && field.listKind === 'enum' ? 'enum' : items.kind;
  if (!items.skip) values.forEach((value, i) => checkValue(value, { ...items, kind }, `${path}[${i}]`, report));
}

function checkMap(entries: readonly (readonly [unknown, unknown])[], own: Rules, path: string, report: Report): void {
  if (entries.length === 0 && own.set.get('ignore_empty') === true) return;
  checkCount(entries.length, own, 'min_pairs', 'max_pairs', path, report);
  const [keys, values] = [nestedRules(own.set, 'keys'), nestedRules(own.set, 'values')];
  for (const [key, value] of entries) {
    checkScalar(key, keys, `${path}[${String(key)}]`, report);
    if (!values.skip) checkValue(value, values, `${path}[${String(key)}]`, report);
  }
}
