import { isCipherSuite, isEcdhCurve } from '../semantics/cipher-suites.js';
import { each } from '../semantics/each.js';
import type { Scope } from '../validation/scope.js';
import type { ExtensionProvider, HttpHeader } from './extension-provider.js';
import { formatProblem } from './log-format.js';
import type { MeshConfigSpec } from './mesh-config.js';

/** Tracers that Envoy has no longer, or never had. */
const gone: Readonly<Record<string, string>> = {
  lightstep: 'Envoy has no Lightstep tracer any more; Lightstep takes OpenTelemetry: use opentelemetry.',
  opencensus: 'Envoy has no OpenCensus tracer any more: use opentelemetry.',
  stackdriver: "Stackdriver needs Istio's own build of Envoy; Google Cloud takes OpenTelemetry: use opentelemetry.",
};
const notYet = ['sds'];

const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const domainPattern = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i;

/** What must hold in a MeshConfig beyond its schema. */
export function checkMeshConfig(spec: MeshConfigSpec, scope: Scope): void {
  if (spec.rootNamespace !== undefined && !namePattern.test(spec.rootNamespace))
    scope.at('rootNamespace').error('must be the name of a namespace: small letters, digits and dashes.');
  if (spec.trustDomain !== undefined && !domainPattern.test(spec.trustDomain))
    scope.at('trustDomain').error('must be a domain name, as cluster.local.');
  if (spec.outboundTrafficPolicy?.mode === 'ALLOW_ANY_DYNAMIC_DNS')
    scope
      .at('outboundTrafficPolicy', 'mode')
      .warning('Seine has no ALLOW_ANY_DYNAMIC_DNS: it counts as ALLOW_ANY.', 'SEINE-UNSUPPORTED');
  checkTlsDefaults(spec.tlsDefaults, scope.at('tlsDefaults'));
  checkAccessLog(spec, scope);
  checkProviders(spec, scope);
}

function checkTlsDefaults(defaults: MeshConfigSpec['tlsDefaults'], scope: Scope): void {
  each(defaults?.cipherSuites, scope.at('cipherSuites'), (suite, at) => {
    if (!isCipherSuite(suite))
      at.warning(`${JSON.stringify(suite)} is no cipher suite that Envoy knows; it is left out`);
  });
  each(defaults?.ecdhCurves, scope.at('ecdhCurves'), (curve, at) => {
    if (!isEcdhCurve(curve)) at.warning(`${JSON.stringify(curve)} is no curve that Envoy knows; it is left out`);
  });
}

function checkAccessLog({ accessLogFormat, accessLogEncoding }: MeshConfigSpec, scope: Scope): void {
  if (!accessLogFormat) return;
  const at = scope.at('accessLogFormat');
  if (accessLogEncoding !== 'JSON') {
    checkFormat(accessLogFormat, at);
    return;
  }
  const fields = parseJson(accessLogFormat);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    at.error('must be a JSON object, as accessLogEncoding is JSON.');
  else checkFormats(fields, at);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkFormat(format: string, scope: Scope): void {
  const problem = formatProblem(format);
  if (problem !== undefined) scope.error(problem);
}

/** Formats as JSON holds them: texts in objects and lists. */
function checkFormats(value: unknown, scope: Scope): void {
  if (typeof value === 'string') checkFormat(value, scope);
  else if (typeof value === 'object' && value !== null)
    for (const [key, child] of Object.entries(value)) checkFormats(child, scope.at(key));
}

/** The built-in provider that leads to mixer. */
const mixer = 'mixer';

function checkProviders({ extensionProviders, defaultProviders }: MeshConfigSpec, scope: Scope): void {
  const names = new Set(['prometheus', 'stackdriver', 'envoy', mixer]);
  const seen = new Set<string>();
  each(extensionProviders, scope.at('extensionProviders'), (provider, at) => {
    if (provider.name.toLowerCase() === mixer)
      at.at('name').warning(
        'mixer is Seine’s own provider, which is always there: this one is not used. Give it another name.',
      );
    if (seen.has(provider.name)) at.at('name').error(`Duplicate value: another provider is called ${provider.name}.`);
    seen.add(provider.name);
    names.add(provider.name);
    checkProvider(provider, at);
  });
  for (const [section, list] of Object.entries(defaultProviders ?? {}))
    each(list, scope.at('defaultProviders', section), (name, at) => {
      if (![...names].some((known) => known.toLowerCase() === name.toLowerCase()))
        at.warning(`There is no extension provider ${JSON.stringify(name)}; there are ${[...names].join(', ')}.`);
    });
}

function checkProvider(provider: ExtensionProvider, scope: Scope): void {
  const { name, ...settings } = provider;
  const kinds = Object.keys(settings);
  if (kinds.length === 0)
    scope.error('must say what it is: one of zipkin, opentelemetry, envoyFileAccessLog and so on.');
  for (const kind of kinds) {
    if (gone[kind]) scope.at(kind).warning(`${name} has no effect. ${gone[kind]}`, 'SEINE-UNSUPPORTED');
    if (notYet.includes(kind))
      scope.at(kind).warning(`Seine does not act on providers of the kind ${kind}.`, 'SEINE-UNSUPPORTED');
  }
  const formats = {
    envoyFileAccessLog: settings.envoyFileAccessLog?.logFormat,
    envoyOtelAls: settings.envoyOtelAls?.logFormat,
  };
  for (const [kind, format] of Object.entries(formats)) checkFormats(format, scope.at(kind, 'logFormat'));
  checkTracers(provider, scope);
}

function checkTracers({ opentelemetry, zipkin, skywalking }: ExtensionProvider, scope: Scope): void {
  checkHeaders(zipkin?.headers, scope.at('zipkin', 'headers'));
  if (skywalking?.accessToken !== undefined)
    scope.at('skywalking', 'accessToken').warning('Istio ignores this field, and so does Seine.', 'SEINE-UNSUPPORTED');
  if (!opentelemetry) return;
  const { http, grpc } = opentelemetry;
  const at = scope.at('opentelemetry');
  checkHeaders(http?.headers, at.at('http', 'headers'));
  checkHeaders(grpc?.initialMetadata, at.at('grpc', 'initialMetadata'));
  if (http && grpc) at.at('grpc').error('cannot be set together with http.');
  if (http && !http.path) at.at('http', 'path').error('must be set, as /v1/traces.');
}

/** Every pilot would have to have the variable, and the same. */
function checkHeaders(headers: readonly HttpHeader[] | undefined, scope: Scope): void {
  each(headers, scope, ({ envName }, at) => {
    if (envName !== undefined)
      at.at('envName').warning(
        'Seine does not read environment variables: the header is not sent. Use value.',
        'SEINE-UNSUPPORTED',
      );
  });
}
