import type { CelRule } from '@seine/k8s';
import { type Static, type TObject, type TOptional, type TProperties, type TSchema, Type } from '@sinclair/typebox';

/**
 * The few forms that fields of Istio's API take. A definition made of them is at once a TypeScript type (`Static`), a
 * JSON schema (validation), the OpenAPI schema of a CustomResourceDefinition, and the text of a reference page.
 */

interface Common {
  readonly rules?: readonly CelRule[];
  /** What holds when the field is left out, for the reference page. */
  readonly fallback?: string;
}

interface TextOptions extends Common {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

interface NumberOptions extends Common {
  readonly minimum?: number;
  readonly maximum?: number;
  /** A proto wrapper: null means absent. */
  readonly nullable?: boolean;
}

/** Moves our own options under the names that the validator, the CRDs and the reference pages look for. */
function annotate<O extends Common>({ rules, fallback, ...rest }: O) {
  return {
    ...rest,
    ...(rules && { 'x-kubernetes-validations': rules }),
    ...(fallback !== undefined && { 'x-seine-fallback': fallback }),
  };
}

export const text = (description: string, options: TextOptions = {}) =>
  Type.String({ description, ...annotate(options) });

/** Base64, as proto JSON writes bytes. */
export const bytes = (description: string) => Type.String({ description, format: 'byte' });

/** A whole number; proto JSON also takes it as a string. */
export const integer = (description: string, options: NumberOptions = {}) =>
  Type.Integer({ description, format: 'int32', minimum: -2147483648, maximum: 2147483647, ...annotate(options) });

export const uint32 = (description: string, options: NumberOptions = {}) =>
  Type.Integer({ description, minimum: 0, maximum: 4294967295, ...annotate(options) });

export const uint64 = (description: string, options: NumberOptions = {}) =>
  Type.Integer({ description, minimum: 0, ...annotate(options) });

/** A TCP port where 0 means "none". */
export const port = (description: string) => Type.Integer({ description, minimum: 0, maximum: 65535 });

/** A TCP port that must be a real one. */
export const boundPort = (description: string) => Type.Integer({ description, minimum: 1, maximum: 65535 });

export const decimal = (description: string, options: NumberOptions = {}) =>
  Type.Number({ description, format: 'double', ...annotate(options) });

/** 0 to 100, with fractions. */
export const percent = (description: string, options: NumberOptions = {}) =>
  decimal(description, { minimum: 0, maximum: 100, ...options });

export const flag = (description: string, options: Common = {}) => Type.Boolean({ description, ...annotate(options) });

/** A flag that knows "not said" (a proto BoolValue). */
export const optionalFlag = (description: string, options: Common = {}) =>
  Type.Boolean({ description, nullable: true, ...annotate(options) });

/** `5s`, `1h30m`, `100ms`: kept as written, read by parseDuration; 1ms at least. */
export const duration = (description: string, options: Common = {}) =>
  Type.String({ description, format: 'duration', ...annotate(options) });

/** A duration that may be zero, which turns off what it limits. */
export const durationOrZero = (description: string, options: Common = {}) =>
  Type.String({ description, format: 'duration-or-zero', ...annotate(options) });

interface ListOptions extends Common {
  readonly minItems?: number;
  readonly maxItems?: number;
  /** The field that tells elements apart; no two may have the same. */
  readonly key?: string;
}

export const list = <T extends TSchema>(items: T, description: string, { key, ...options }: ListOptions = {}) =>
  Type.Array(items, {
    description,
    ...annotate(options),
    ...(key && { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] }),
  });

export const texts = (description: string, options: ListOptions & { readonly of?: TextOptions } = {}) => {
  const { of, ...rest } = options;
  return Type.Array(Type.String(annotate(of ?? {})), { description, ...annotate(rest) });
};

interface MapOptions extends Common {
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

/** string → string. */
export const textMap = (description: string, options: MapOptions & { readonly of?: TextOptions } = {}) => {
  const { of, ...rest } = options;
  return Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    description,
    additionalProperties: Type.String(annotate(of ?? {})),
    ...annotate(rest),
  });
};

export const mapOf = <T extends TSchema>(values: T, description: string, options: MapOptions = {}) =>
  Type.Unsafe<Readonly<Record<string, Static<T>>>>({
    type: 'object',
    description,
    additionalProperties: values,
    ...annotate(options),
  });

interface ChoiceOptions extends Common {
  /** The names stand in the order of their numbers, from 0 on, and a number is taken for its name. */
  readonly numbered?: boolean;
}

/** One of a proto enum's names. */
export const choice = <const T extends readonly string[]>(
  values: T,
  description: string,
  { numbered, ...options }: ChoiceOptions = {},
) =>
  Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    description,
    ...(numbered && { 'x-seine-numbered': true }),
    ...annotate(options),
  });

/** Any JSON object (google.protobuf.Struct). */
export const struct = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    description,
    'x-kubernetes-preserve-unknown-fields': true,
  });

type Optional<P extends TProperties, R extends keyof P> = {
  [K in keyof P]: K extends R ? P[K] : TOptional<P[K]>;
};

/**
 * A message. Every field may be left out, but for those named as required.
 * @param options rules: what must hold between its fields; oneofs: groups of which at most one field may be set, as in
 * proto
 */
export function message<P extends TProperties, const R extends readonly (keyof P & string)[] = []>(
  description: string,
  fields: P,
  options: {
    readonly required?: R;
    readonly rules?: readonly CelRule[];
    readonly oneofs?: readonly (readonly (keyof P & string)[])[];
  } = {},
): TObject<Optional<P, R[number]>> {
  const required = new Set<string>(options.required ?? []);
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [name, required.has(name) ? schema : Type.Optional(schema)]),
  );
  const { rules, oneofs } = options;
  return Type.Object(properties, {
    description,
    additionalProperties: false,
    ...annotate({ ...(rules && { rules }) }),
    ...(oneofs && { 'x-seine-oneofs': oneofs }),
  }) as unknown as TObject<Optional<P, R[number]>>;
}

/** The same schema in another place, which has a description of its own. */
export const described = <T extends TSchema>(schema: T, description: string): T => ({ ...schema, description });

/** At most one of these fields may be set. */
export function atMostOne(text: string, ...fields: readonly string[]): CelRule {
  const count = fields.map((field) => `(has(self.${field}) ? 1 : 0)`).join(' + ');
  return { rule: `${count} <= 1`, message: text };
}

/** The static type, readonly all the way down: config is never edited in place. */
export type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

export type Of<T extends TSchema> = Frozen<Static<T>>;
