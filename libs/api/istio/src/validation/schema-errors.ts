import type { Diagnostic } from '@seine/diagnostics';
import type { JsonSchema } from '@seine/k8s';
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import { parseDuration } from '../duration.js';
import { loadAjv } from '../load-when-needed.js';
import { formatFieldPath, type PathStep, stepsOfPointer } from './field-path.js';
import { suggestion } from './near-match.js';
import { shareDefinitions } from './share-definitions.js';

const shortestDuration = 1;

const anyNumber = { type: 'number' as const, validate: () => true };

function newAjv(): Ajv {
  const { Ajv } = loadAjv();
  return new Ajv({
    strict: false,
    allErrors: true,
    verbose: true,
    inlineRefs: false,
    // These schemas are tested; checking them against the meta-schema costs as much as compiling them.
    validateSchema: false,
    formats: {
      duration: (text: string) => (parseDuration(text) ?? -1) >= shortestDuration,
      'duration-or-zero': (text: string) => (parseDuration(text) ?? -1) >= 0,
      byte: (text: string) => /^[A-Za-z0-9+/_-]*={0,2}$/.test(text),
      int32: anyNumber,
      double: anyNumber,
    },
  });
}

let ajv: Ajv | undefined;
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

/** Compiling takes tens of milliseconds for a large kind, so it waits until an object of the kind turns up. */
function validatorOf(schema: JsonSchema): ValidateFunction {
  let validator = compiled.get(schema);
  if (!validator) {
    ajv ??= newAjv();
    compiled.set(schema, (validator = ajv.compile(shareDefinitions(schema))));
  }
  return validator;
}

function bounds({ minimum, maximum, format }: JsonSchema): string {
  const low = format === 'int32' && minimum === -2147483648 ? undefined : minimum;
  const high = maximum === 2147483647 || maximum === 4294967295 ? undefined : maximum;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return ` ≥ ${low}`;
  return high === undefined ? '' : ` ≤ ${high}`;
}

function expectedText({ enum: values, format }: JsonSchema): string {
  if (values) return `one of ${values.join(', ')}`;
  if (format === 'duration') return 'a duration as 5s, 1m30s or 100ms, of at least 1ms';
  if (format === 'duration-or-zero') return 'a duration as 5s, 1m30s, 100ms or 0s';
  return format === 'byte' ? 'bytes in base64' : 'a text';
}

/** What would be right, in words. */
function expected(schema: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'a whole number or a name';
  switch (schema.type) {
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
      return 'an object';
    default:
      return expectedText(schema);
  }
}

/** A value as it was written, shortened. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return value === null ? 'null' : `${typeof value} ${short}`;
}

function mismatch(value: unknown, schema: JsonSchema): string {
  if (schema['x-seine-secret']) return `Got a ${typeof value}, expected ${expected(schema)}; put it in quotes.`;
  const quotes = schema.type === 'string' && ['number', 'boolean'].includes(typeof value) ? '; put it in quotes' : '';
  const near = typeof value === 'string' && schema.enum ? suggestion(value, schema.enum) : '';
  return `Got ${shown(value)}, expected ${expected(schema)}${quotes}.${near}`;
}

const sizeWords: Readonly<Record<string, string>> = {
  minLength: 'should have at least # characters',
  maxLength: 'should have at most # characters',
  minItems: 'should have at least # items',
  maxItems: 'should have at most # items',
  minProperties: 'should have at least # entries',
  maxProperties: 'should have at most # entries',
};

function messageOf({ keyword, data, parentSchema = {}, params }: ErrorObject): string {
  const size = sizeWords[keyword];
  if (size) {
    const limit = String((params as { readonly limit?: number }).limit);
    if (limit === '1' && keyword.startsWith('min')) return 'Must not be empty.';
    return `${Array.isArray(data) ? `The list of ${data.length}` : `Got ${shown(data)}; it`} ${size.replace('#', limit)}.`;
  }
  if (keyword === 'pattern')
    return `Got ${shown(data)}, which should match ${(parentSchema as JsonSchema).pattern ?? ''}.`;
  return mismatch(data, parentSchema as JsonSchema);
}

function unknownField(steps: readonly PathStep[], { params, parentSchema }: ErrorObject): Diagnostic {
  const { additionalProperty } = params as { readonly additionalProperty: string };
  const known = Object.keys((parentSchema as JsonSchema | undefined)?.properties ?? {});
  return {
    severity: 'warning',
    code: 'SEINE-UNKNOWN-FIELD',
    message: `There is no field ${JSON.stringify(additionalProperty)} here, so it has no effect.${suggestion(additionalProperty, known)}`,
    path: formatFieldPath([...steps, additionalProperty]),
  };
}

function diagnosticOf(error: ErrorObject, value: unknown): Diagnostic {
  const steps = stepsOfPointer(error.instancePath, value);
  if (error.keyword === 'additionalProperties') return unknownField(steps, error);
  if (error.keyword === 'required') {
    const { missingProperty } = error.params as { readonly missingProperty: string };
    const path = formatFieldPath([...steps, missingProperty]);
    return { severity: 'error', code: 'SEINE-SCHEMA', message: `${path} is required, but it is missing.`, path };
  }
  return { severity: 'error', code: 'SEINE-SCHEMA', message: messageOf(error), path: formatFieldPath(steps) };
}

/** What a schema finds wrong with a value: SEINE-SCHEMA errors, and SEINE-UNKNOWN-FIELD warnings for further fields. */
export function schemaErrors(schema: JsonSchema, value: unknown): readonly Diagnostic[] {
  const validator = validatorOf(schema);
  if (validator(value)) return [];
  return (validator.errors ?? []).map((error) => diagnosticOf(error, value));
}
