import { isDomain, isIP, isIPOrPrefix, isLabel, isObjectName, isWildcardDomain } from './addresses.js';
import { re2SyntaxError } from './re2.js';
import type { Scope } from '../validation/scope.js';
import { each } from './each.js';

/** Checks of single fields that several kinds have. */

const protocols: ReadonlySet<string> = new Set([
  'HTTP',
  'HTTP2',
  'GRPC',
  'GRPC-WEB',
  'HTTP_PROXY',
  'HTTPS',
  'TLS',
  'TCP',
  'UDP',
  'MONGO',
  'REDIS',
  'MYSQL',
  'HBONE',
]);
const httpProtocols: ReadonlySet<string> = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTP_PROXY']);
const tlsProtocols: ReadonlySet<string> = new Set(['HTTPS', 'TLS']);

export function isHttp(protocol: string): boolean {
  return httpProtocols.has(protocol.toUpperCase());
}

export function isTls(protocol: string): boolean {
  return tlsProtocols.has(protocol.toUpperCase());
}

export function checkProtocol(protocol: string, scope: Scope): void {
  if (!protocols.has(protocol.toUpperCase()))
    scope.error(
      `protocol ${JSON.stringify(protocol)} is not supported; use HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, TCP, MONGO, REDIS or MYSQL`,
    );
}

/** A port where a message has one: 0 says "none" in proto, but is no port to route to. */
export function checkPort(number: number | undefined, scope: Scope): void {
  if (number === undefined || number < 1 || number > 65535) scope.error('port number must be between 1 and 65535');
}

export function checkWildcardHost(host: string, scope: Scope): void {
  if (!isWildcardDomain(host))
    scope.error(`${JSON.stringify(host)} is not a DNS name, nor one with a wildcard as its first label`);
}

export function checkPrefix(text: string, scope: Scope): void {
  if (!isIPOrPrefix(text))
    scope.error(`${JSON.stringify(text)} is neither an IP address nor a CIDR prefix as 10.0.0.0/8`);
}

/** What a client connects to: an IP address or a DNS name. */
export function isAddress(text: string): boolean {
  return isIP(text) || isDomain(text);
}

export function checkRegex(expression: string, scope: Scope): void {
  if (expression === '') {
    scope.error('an expression must not be empty');
    return;
  }
  const failure = re2SyntaxError(expression);
  if (failure !== undefined) scope.error(`is not an RE2 expression: ${failure}`);
}

/** `gateway` fields: `mesh`, `name`, or `namespace/name`. */
export function checkGatewayNames(names: readonly string[] | undefined, scope: Scope): void {
  each(names, scope, (name, at) => {
    const parts = name.split('/');
    const [namespace, rest] = parts.length === 2 ? parts : [undefined, parts[0]];
    if (parts.length > 2) at.error('must be of the form name or namespace/name');
    else if (namespace !== undefined && namespace !== '.' && !isLabel(namespace))
      at.error(`${JSON.stringify(namespace)} is not a namespace`);
    else if (!isObjectName(rest ?? '')) at.error(`${JSON.stringify(rest ?? '')} is not the name of a gateway`);
  });
}

/** `exportTo` fields. */
export function checkExportTo(
  exportTo: readonly string[] | undefined,
  scope: Scope,
  options: { readonly none: boolean },
): void {
  if (!exportTo) return;
  const seen = new Set<string>();
  each(exportTo, scope, (entry, at) => {
    const special = entry === '*' || entry === '.' || (options.none && entry === '~');
    if (!special && !isLabel(entry))
      at.error(`${JSON.stringify(entry)} must be a namespace, . for the own one, or * for all`);
    if (seen.has(entry)) at.error(`${JSON.stringify(entry)} stands here twice`);
    seen.add(entry);
  });
  if (exportTo.length > 1 && (seen.has('*') || seen.has('~')))
    scope.error('* and ~ speak of all namespaces, so no other entry may stand beside them');
}

/** `egress.hosts` of a Sidecar, `hosts` of a gateway server: `namespace/dnsName`. */
export function checkScopedHost(host: string, scope: Scope, options: { readonly gateway: boolean }): void {
  const [first = '', second, ...others] = host.split('/');
  if (others.length > 0 || (second === undefined && !options.gateway)) {
    scope.error(`${JSON.stringify(host)} must be of the form namespace/dnsName`);
    return;
  }
  const [namespace, name] = second === undefined ? ['*', first] : [first, second];
  const special = ['*', '.', ...(options.gateway ? [] : ['~'])];
  if (!special.includes(namespace) && !isLabel(namespace))
    scope.error(`${JSON.stringify(namespace)} must be a namespace, . for the own one, or * for all`);
  if (!isWildcardDomain(name) && !(options.gateway && isIP(name)))
    scope.error(`${JSON.stringify(name)} is not a DNS name, nor one with a wildcard as its first label`);
}

const labelKey = /^([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?\/)?[a-zA-Z0-9]([-\w.]{0,61}[a-zA-Z0-9])?$/;
const labelValue = /^([a-zA-Z0-9]([-\w.]{0,61}[a-zA-Z0-9])?)?$/;

/** Labels as Kubernetes allows them; a text that is no label would match nothing. */
export function checkLabels(labels: Readonly<Record<string, string>> | undefined, scope: Scope): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!labelKey.test(key) || key.length > 317) scope.error(`${JSON.stringify(key)} is not a label key`);
    if (!labelValue.test(value)) scope.at(key).error(`${JSON.stringify(value)} is not a label value`);
  }
}

const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A header name (RFC 9110 token); `:authority` and its like belong to other fields. */
export function checkHeaderName(name: string, scope: Scope): void {
  if (!headerName.test(name)) scope.error(`${JSON.stringify(name)} is not a header name`);
}

export function isHeaderName(name: string): boolean {
  return headerName.test(name);
}
