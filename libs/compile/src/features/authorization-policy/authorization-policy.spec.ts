import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { FilterSchema } from '@seine/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { HttpFilterSchema } from '@seine/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { AuthorizationPolicy, ExtensionProvider } from '@seine/istio';
import { defaultMeshConfig } from '@seine/model';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { ProviderClusters } from '../../telemetry/providers.js';
import { type AuthorizationInput, emitHttpAuthorization, emitTcpAuthorization } from './authorization-policy.js';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../..');
const cases = path.join(process.env['SEINE_CASES'] ?? path.join(repository, '../shared/cases'), 'authz');

const service = { service: 'foo/my-custom-ext-authz.foo.svc.cluster.local', port: 9000 };
const clusters: ProviderClusters = new Map(
  ['foo/my-custom-ext-authz.foo.svc.cluster.local', 'my-custom-ext-authz.foo.svc.cluster.local'].map((name) => [
    `${name}:9000`,
    {
      host: 'my-custom-ext-authz.foo.svc.cluster.local',
      cluster: 'outbound|9000||my-custom-ext-authz.foo.svc.cluster.local',
    },
  ]),
);

const grpc: ExtensionProvider = {
  name: 'default',
  envoyExtAuthzGrpc: {
    ...service,
    timeout: '2ms',
    failOpen: true,
    statusOnError: '403',
    includeRequestBodyInCheck: { maxRequestBytes: 4096, allowPartialMessage: true },
  },
};
const headers = ['x-prefix-*', '*-suffix'];
const http: ExtensionProvider = {
  name: 'default',
  envoyExtAuthzHttp: {
    ...service,
    timeout: '10s',
    failOpen: true,
    statusOnError: '403',
    pathPrefix: '/check',
    includeRequestHeadersInCheck: ['x-custom-id', ...headers],
    includeAdditionalHeadersInCheck: { 'x-header-1': 'value-1', 'x-header-2': 'value-2' },
    includeRequestBodyInCheck: { maxRequestBytes: 2048, allowPartialMessage: true, packAsBytes: true },
    headersToUpstreamOnAllow: ['Authorization', ...headers],
    headersToDownstreamOnDeny: ['Set-cookie', ...headers],
    headersToDownstreamOnAllow: ['Set-cookie', ...headers],
  },
};
const plainGrpc: ExtensionProvider = {
  name: 'default',
  envoyExtAuthzGrpc: { service: 'my-custom-ext-authz.foo.svc.cluster.local', port: 9000, failOpen: true },
};

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Forms that say the same, as one: `or` and `and` of a single item, fields at their defaults, other forms of a host. */
function normal(value: Json): Json {
  if (Array.isArray(value)) {
    return (value as readonly Json[]).filter((item) => !isOtherFormOfHost(item)).map(normal);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [camel(key), normal(item)] as const);
  for (const [key, item] of entries) {
    const inner = (item as { readonly rules?: Json; readonly ids?: Json; readonly valueMatchers?: Json } | null) ?? {};
    const list =
      key.startsWith('or') || key.startsWith('and') ? (inner.rules ?? inner.ids ?? inner.valueMatchers) : undefined;
    if (Array.isArray(list) && list.length === 1 && entries.length === 1) return list[0] as Json;
  }
  const kept = entries.filter(
    ([key, item]) =>
      item !== false &&
      item !== '' &&
      !(key === 'shadowRulesStatPrefix' && !('shadowRules' in value || 'shadow_rules' in value)),
  );
  return Object.fromEntries(kept);
}

function camel(key: string): string {
  return /^[a-z_]+$/.test(key) ? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : key;
}

function isOtherFormOfHost(item: Json): boolean {
  const text = JSON.stringify(item);
  return text.startsWith('{"header":{"name":":authority"') && text.includes('"regex":"(?i)');
}

function emitted(
  folder: string,
  file: string,
  change: Partial<AuthorizationInput> & {
    readonly providers?: readonly ExtensionProvider[];
    readonly trustDomain?: string;
    readonly trustDomainAliases?: readonly string[];
  },
) {
  const { providers = [], trustDomain = 'cluster.local', trustDomainAliases = [], ...input } = change;
  const policies = parseAllDocuments(fs.readFileSync(path.join(cases, folder, file), 'utf8')).flatMap(
    (document) => (document.toJS() as AuthorizationPolicy | null) ?? [],
  );
  const full: AuthorizationInput = {
    policies,
    // As Istio judges paths.
    config: {
      ...defaultMeshConfig,
      pathNormalization: 'BASE',
      trustDomain,
      trustDomainAliases,
      extensionProviders: [...providers],
    },
    providerClusters: clusters,
    ...input,
  };
  const made =
    folder === 'http'
      ? emitHttpAuthorization(full).map((filter) => toEnvoyJson(HttpFilterSchema, filter))
      : emitTcpAuthorization(full).map((filter) => toEnvoyJson(FilterSchema, filter));
  return made.map((filter) => normal(filter as Json));
}

function expected(folder: string, file: string): Json {
  return normal(parse(fs.readFileSync(path.join(cases, folder, file), 'utf8')) as Json);
}

const aliased = { trustDomain: 'td1', trustDomainAliases: ['cluster.local'] };
type Options = Parameters<typeof emitted>[2];
const rows: readonly (readonly [folder: string, input: string, outputs: readonly string[], options?: Options])[] = [
  ['http', 'allow-empty-rule', ['allow-empty-rule']],
  ['http', 'allow-full-rule', ['allow-full-rule']],
  ['http', 'allow-nil-rule', ['allow-nil-rule']],
  ['http', 'allow-path', ['allow-path']],
  ['http', 'deny-empty-rule', ['deny-empty-rule']],
  ['http', 'dry-run-allow-and-deny', ['dry-run-allow-and-deny-out1', 'dry-run-allow-and-deny-out2']],
  ['http', 'dry-run-mix', ['dry-run-mix']],
  ['http', 'multiple-policies', ['multiple-policies']],
  ['http', 'single-policy', ['single-policy']],
  ['http', 'trust-domains', ['trust-domains']],
  ['http', 'simple-policy-td-aliases', ['simple-policy-td-aliases'], aliased],
  [
    'http',
    'simple-policy-principal-with-wildcard',
    ['simple-policy-principal-with-wildcard'],
    { trustDomain: 'td1', trustDomainAliases: ['foobar'] },
  ],
  [
    'http',
    'td-aliases-source-principal',
    ['td-aliases-source-principal'],
    { trustDomain: 'new-td', trustDomainAliases: ['some-trustdomain'] },
  ],
  ['http', 'custom-simple-http', ['custom-grpc-provider-out1', 'custom-grpc-provider-out2'], { providers: [grpc] }],
  ['http', 'custom-simple-http', ['custom-http-provider-out1', 'custom-http-provider-out2'], { providers: [http] }],
  [
    'http',
    'custom-simple-http',
    ['custom-grpc-provider-no-namespace-out1', 'custom-grpc-provider-no-namespace-out2'],
    { providers: [plainGrpc] },
  ],
  ['http', 'custom-simple-http', ['custom-bad'], { providers: [] }],
  ['tcp', 'allow-both-http-tcp', ['allow-both-http-tcp']],
  [
    'tcp',
    'custom-both-http-tcp',
    ['custom-both-http-tcp-out1', 'custom-both-http-tcp-out2'],
    { providers: [{ name: 'default', envoyExtAuthzGrpc: { ...service, timeout: '2ms', failOpen: true } }] },
  ],
  ['tcp', 'custom-only-http', [], { providers: [http] }],
  ['tcp', 'dry-run-mix', ['dry-run-mix']],
];

describe('AuthorizationPolicies of real Istio YAML', () => {
  it('are there: SEINE_CASES names the folder, default ../shared/cases', () => {
    expect(fs.existsSync(cases)).toBe(true);
  });

  it.each(rows)('%s %s come to %j', (folder, input, outputs, options = {}) => {
    const files = outputs.map((name) => expected(folder, name.includes('-out') ? `${name}.yaml` : `${name}-out.yaml`));
    expect(emitted(folder, `${input}-in.yaml`, options)).toEqual(files);
  });
});
