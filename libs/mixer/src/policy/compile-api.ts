import type { Diagnostic } from '@seine/diagnostics';
import { type ApiAttributes, type HttpApiSpecBindingSpec, type HttpApiSpecSpec, parseDuration } from '@seine/istio';
import type { ConfigObject } from '@seine/k8s';
import { memo } from '@seine/memo';
import { normalizeDnsName, normalizeEmail, normalizeIp, normalizeUri } from '../attributes/normalize.js';
import type { Value, ValueType, Vocabulary } from '../attributes/value-type.js';
import { ExpressionError } from '../expressions/expression-error.js';
import { safePattern } from '../expressions/patterns.js';
import { parseTimestamp } from '../expressions/times.js';
import { hostOf } from './compile-quota.js';
import { refOf } from './names.js';
import type { ApiBinding, ApiKey, HttpApi } from './policy.js';
import { below, Problems } from './problems.js';

interface CompiledApi {
  readonly api: HttpApi;
  readonly problems: readonly Diagnostic[];
}

/** Where a client's key is where its API does not say (Istio 1.4). */
const usualKeys: readonly ApiKey[] = [{ query: 'key' }, { query: 'api_key' }, { header: 'x-api-key' }];

/** What is known of a request without an HTTPAPISpec. */
export const noApi: HttpApi = { attributes: new Map(), operations: [], keys: usualKeys };

export const compileApiSpec = memo('mixer-api-spec', (object: ConfigObject, vocabulary: Vocabulary): CompiledApi => {
  const problems = new Problems(object);
  const { attributes, patterns = [], apiKeys = [] } = (object.spec ?? {}) as HttpApiSpecSpec;
  const operations = patterns.flatMap(({ attributes: own, httpMethod, uriTemplate, regex }, i) => {
    const at = below('spec.patterns', i);
    const path = readPath({ uriTemplate, regex }, problems, at);
    const values = readAttributes(own, vocabulary, problems, `${at}.attributes`);
    return path ? [{ method: httpMethod || undefined, path, attributes: values }] : [];
  });
  const keys = apiKeys.map(({ query, header, cookie }): ApiKey => ({ query, header: header?.toLowerCase(), cookie }));
  const api: HttpApi = {
    attributes: readAttributes(attributes, vocabulary, problems, 'spec.attributes'),
    operations,
    keys: keys.length > 0 ? keys : usualKeys,
  };
  return { api, problems: problems.found };
});

function readPath(
  { uriTemplate, regex }: { readonly uriTemplate?: string | undefined; readonly regex?: string | undefined },
  problems: Problems,
  at: string,
): RegExp | undefined {
  try {
    if (uriTemplate !== undefined) return safePattern(`^${templatePattern(uriTemplate)}$`, 0);
    if (regex !== undefined) return safePattern(`^(?:${regex})$`, 0);
    problems.error(at, 'must have uriTemplate or regex');
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    problems.error(below(at, uriTemplate === undefined ? 'regex' : 'uriTemplate'), error.message);
  }
  return undefined;
}

/** `/pets/{id}`: a variable is one segment, `{name=**}` and `**` are what is left. */
function templatePattern(template: string): string {
  return template
    .split(/(\{[^}]*\}|\*\*|\*)/)
    .map((part, i) => {
      if (i % 2 === 0) return part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
      return part.includes('**') ? '.*' : '[^\\/]+';
    })
    .join('');
}

type Written = NonNullable<NonNullable<ApiAttributes['attributes']>[string]>;

function readAttributes(
  written: ApiAttributes | undefined,
  vocabulary: Vocabulary,
  problems: Problems,
  path: string,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const [name, value] of Object.entries(written?.attributes ?? {})) {
    const type = vocabulary.get(name);
    const read = type && readValue(type, value);
    if (read !== undefined) values.set(name, read);
    else
      problems.error(
        below(`${path}.attributes`, name),
        type === undefined ? `there is no attribute ${name}` : `is no ${type}`,
      );
  }
  return values;
}

const ofText: Readonly<Partial<Record<ValueType, (text: string) => Value | undefined>>> = {
  STRING: (text) => text,
  IP_ADDRESS: normalizeIp,
  DNS_NAME: normalizeDnsName,
  EMAIL_ADDRESS: normalizeEmail,
  URI: normalizeUri,
};

function readValue(type: ValueType, value: Written): Value | undefined {
  if (value.stringValue !== undefined) return ofText[type]?.(value.stringValue);
  switch (type) {
    case 'INT64':
      return value.int64Value;
    case 'DOUBLE':
      return value.doubleValue;
    case 'BOOL':
      return value.boolValue;
    case 'TIMESTAMP':
      return value.timestampValue === undefined ? undefined : parseTimestamp(value.timestampValue);
    case 'DURATION':
      return value.durationValue === undefined ? undefined : parseDuration(value.durationValue);
    case 'STRING_MAP':
      return value.stringMapValue && new Map(Object.entries(value.stringMapValue.entries ?? {}));
    default:
      return undefined;
  }
}

/** @param specs by `namespace/name` */
export function compileApiBinding(
  object: ConfigObject,
  specs: ReadonlyMap<string, CompiledApi>,
  clusterDomain: string,
): { readonly binding: ApiBinding | undefined; readonly problems: readonly Diagnostic[] } {
  const problems = new Problems(object);
  const { namespace } = object.metadata;
  const { services = [], apiSpecs = [] } = (object.spec ?? {}) as HttpApiSpecBindingSpec;
  const apis = apiSpecs.flatMap(({ name = '', namespace: of = namespace }, i) => {
    const spec = specs.get(`${of || namespace}/${name}`);
    if (!spec) problems.error(`spec.apiSpecs[${i}]`, `there is no HTTPAPISpec ${of || namespace}/${name}`, 'IST0101');
    return spec ? [spec.api] : [];
  });
  const hosts = new Set(services.map((service) => hostOf(service, namespace, clusterDomain)));
  return { binding: apis.length > 0 ? { hosts, apis, object: refOf(object) } : undefined, problems: problems.found };
}
