import { createHash } from 'node:crypto';
import {
  type DescField,
  type DescMessage,
  type DescOneof,
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

const knownNested = new WeakMap<FieldRules, Rules>();

/** The rules for items, keys or values, which stand in a rule of the list or map. */
function nestedRules(set: RuleSet, name: 'items' | 'keys' | 'values'): Rules {
  const nested = set.get(name);
  if (!isMessage(nested, FieldRulesSchema)) return none;
  let found = knownNested.get(nested);
  if (!found) knownNested.set(nested, (found = readRules(nested)));
  return found;
}

/** What there is to check in messages of one type; worked out once, as most fields have no rules. */
interface Plan {
  readonly isAny: boolean;
  readonly oneofs: readonly DescOneof[];
  readonly fields: readonly DescField[];
  /** Of these also what is not set is looked at. */
  readonly alsoUnset: ReadonlySet<DescField>;
}

const nothing: Omit<Plan, 'isAny'> = { oneofs: [], fields: [], alsoUnset: new Set() };
const plans = new WeakMap<DescMessage, Plan>();
const leastCounts = ['min_items', 'min_pairs'] as const;

function isScalar({ fieldKind, message }: DescField): boolean {
  return fieldKind === 'scalar' || fieldKind === 'enum' || !message;
}

/** Whether nothing could be said of the field, whatever is in it. */
function isFree(field: DescField, { set, required: isRequired }: Rules): boolean {
  if (set.size > 0 || isRequired) return false;
  return isScalar(field) || (isGoogle(field.message) && field.message?.typeName !== AnySchema.typeName);
}

function isGoogle(message: DescMessage | undefined): boolean {
  return message?.file.proto.package === 'google.protobuf';
}

function looksAtUnset(field: DescField, { set, required: isRequired }: Rules): boolean {
  if (field.fieldKind === 'scalar' || field.fieldKind === 'enum') return true;
  return leastCounts.some((rule) => set.has(rule)) || (isRequired && !field.oneof);
}

function planOf(desc: DescMessage): Plan {
  let plan = plans.get(desc);
  if (!plan) plans.set(desc, (plan = makePlan(desc)));
  return plan;
}

function makePlan(desc: DescMessage): Plan {
  const isAny = desc.typeName === AnySchema.typeName;
  if (isGoogle(desc) || getOption(desc, disabled) || getOption(desc, ignored)) return { ...nothing, isAny };
  const ruled = desc.fields.map((field) => [field, rulesOf(field)] as const);
  const fields = ruled.filter(([field, own]) => !own.skip && !isFree(field, own));
  return {
    isAny,
    oneofs: desc.oneofs.filter((oneof) => getOption(oneof, required)),
    fields: fields.map(([field]) => field),
    alsoUnset: new Set(fields.filter(([field, own]) => looksAtUnset(field, own)).map(([field]) => field)),
  };
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
  const { isAny, oneofs, fields, alsoUnset } = planOf(message.desc);
  if (isAny) checkAny(message, path, report);
  for (const oneof of oneofs) if (!message.oneofCase(oneof)) report(`${path}.${oneof.name}`, 'one must be set');
  for (const field of fields)
    if (alsoUnset.has(field) || message.isSet(field)) checkField(message, field, `${path}.${field.name}`, report);
}

/** Hashes of configs that were found good: a router or an access log is in every listener again. */
const good = new Set<string>();
const mostGood = 20_000;

function checkAny({ message }: ReflectMessage, path: string, report: Report): void {
  if (!isMessage(message, AnySchema)) return;
  const { typeUrl, value } = message;
  const schema = report.messageOf(typeNameOf(typeUrl));
  if (!schema) return;
  const key = createHash('sha256').update(`${typeUrl} `).update(value).digest('base64');
  if (good.has(key)) return;
  const found: PgvViolation[] = [];
  const tell = (at: string, complaint: string): void => void found.push({ path: at, complaint });
  const below = Object.assign(tell, { messageOf: report.messageOf });
  checkMessage(reflect(schema, fromBinary(schema, value)), `${path}<${schema.name}>`, below);
  for (const one of found) report(one.path, one.complaint);
  if (found.length > 0) return;
  if (good.size >= mostGood) good.clear();
  good.add(key);
}

function checkField(message: ReflectMessage, field: DescField, path: string, report: Report): void {
  const own = rulesOf(field);
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
