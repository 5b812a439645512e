import type {
  ClientTLSSettings,
  ConnectionPoolSettings,
  ConsistentHashLB,
  LoadBalancerSettings,
  OutlierDetection,
  TrafficPolicy,
} from '../networking/destination-rule.js';
import type { Scope } from '../validation/scope.js';
import { isAddress, checkPort } from './field-checks.js';
import { each } from './each.js';
import { checkLocalityLb, checkZoneAwareLb } from './locality.js';

/** Envoy's tables for Maglev must be of prime size, 5000011 at most. */
const maxTableSize = 5_000_011;

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) return false;
  return true;
}

function checkCookie({ name, attributes }: NonNullable<ConsistentHashLB['httpCookie']>, scope: Scope): void {
  if (name === '') scope.at('name').error('must not be empty');
  const names = new Set<string>();
  each(attributes, scope.at('attributes'), (attribute, at) => {
    if (attribute.name === '') at.at('name').error('must not be empty');
    else if (names.has(attribute.name)) at.at('name').error(`another attribute is called ${attribute.name} already`);
    names.add(attribute.name);
  });
}

function checkConsistentHash(hash: ConsistentHashLB, scope: Scope): void {
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName, minimumRingSize, ringHash, maglev } = hash;
  if (!httpHeaderName && !httpCookie && !useSourceIp && !httpQueryParameterName)
    scope.error('exactly one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName is required');
  if (minimumRingSize !== undefined && (ringHash || maglev))
    scope.error('only one of minimumRingSize, ringHash and maglev can be specified');
  if (httpCookie) checkCookie(httpCookie, scope.at('httpCookie'));
  const size = maglev?.tableSize;
  if (size !== undefined && (size > maxTableSize || !isPrime(size)))
    scope.at('maglev', 'tableSize').error(`must be a prime number, ${maxTableSize} at most, but is ${size}`);
}

function checkLoadBalancer(settings: LoadBalancerSettings | undefined, scope: Scope): void {
  if (!settings) return;
  const { simple, consistentHash, warmup, warmupDurationSecs } = settings;
  if (consistentHash) checkConsistentHash(consistentHash, scope.at('consistentHash'));
  if ((warmup ?? warmupDurationSecs) && (consistentHash ?? (simple === 'RANDOM' || simple === 'PASSTHROUGH')))
    scope.at(warmup ? 'warmup' : 'warmupDurationSecs').warning('has an effect with ROUND_ROBIN and LEAST_REQUEST only');
  checkLocalityLb(settings.localityLbSetting, scope.at('localityLbSetting'));
  checkZoneAwareLb(settings.zoneAwareLbSetting, scope.at('zoneAwareLbSetting'));
}

function checkConnectionPool(pool: ConnectionPoolSettings | undefined, scope: Scope): void {
  if (!pool) return;
  if (!pool.http && !pool.tcp) scope.error('a connection pool must have http or tcp settings');
  if (pool.http?.useClientProtocol && pool.http.h2UpgradePolicy === 'UPGRADE')
    scope.at('http').error('useClientProtocol must not be true when h2UpgradePolicy is UPGRADE');
  const keepAlive = pool.http?.http2KeepAlive;
  for (const field of ['interval', 'timeout'] as const)
    if (keepAlive && keepAlive[field] === undefined) scope.at('http', 'http2KeepAlive', field).error('is required');
}

function checkOutlierDetection(outlier: OutlierDetection | undefined, scope: Scope): void {
  if (outlier?.consecutiveLocalOriginFailures && !outlier.splitExternalLocalOriginErrors)
    scope.error('consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors to be true');
}

const certificateFields = ['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const;

function checkMutual(tls: ClientTLSSettings, scope: Scope): void {
  if (tls.credentialName) return;
  if (!tls.clientCertificate) scope.at('clientCertificate').error('a client certificate is required for mutual TLS');
  if (!tls.privateKey) scope.at('privateKey').error('a private key is required for mutual TLS');
}

export function checkClientTls(tls: ClientTLSSettings | undefined, scope: Scope): void {
  if (!tls) return;
  const files = certificateFields.filter((field) => tls[field]);
  if (tls.credentialName && files.length > 0)
    scope.error(`cannot specify ${files.join(', ')} together with credentialName`);
  if (tls.insecureSkipVerify)
    for (const field of ['caCertificates', 'subjectAltNames'] as const)
      if (tls[field] && tls[field].length > 0) scope.at(field).error('cannot be used when insecureSkipVerify is true');
  if (tls.mode === 'MUTUAL') checkMutual(tls, scope);
  if (tls.mode === 'ISTIO_MUTUAL')
    for (const field of [...files, ...(tls.credentialName ? (['credentialName'] as const) : [])])
      scope.at(field).error('cannot be set with ISTIO_MUTUAL, which uses the identity of the mesh');
}

function checkTunnel({ tunnel, proxyProtocol }: TrafficPolicy, scope: Scope): void {
  if (!tunnel) return;
  if (proxyProtocol) scope.error('tunnel and proxyProtocol must not be set together');
  const { protocol, targetHost, targetPort } = tunnel;
  if (protocol && protocol !== 'CONNECT' && protocol !== 'POST')
    scope.at('tunnel', 'protocol').error(`must be CONNECT or POST, but is ${JSON.stringify(protocol)}`);
  if (!isAddress(targetHost))
    scope.at('tunnel', 'targetHost').error(`${JSON.stringify(targetHost)} is neither an IP address nor a DNS name`);
  checkPort(targetPort, scope.at('tunnel', 'targetPort'));
}

type Settings = Pick<TrafficPolicy, 'loadBalancer' | 'connectionPool' | 'outlierDetection' | 'tls'>;

function checkSettings(settings: Settings, scope: Scope): void {
  checkLoadBalancer(settings.loadBalancer, scope.at('loadBalancer'));
  checkConnectionPool(settings.connectionPool, scope.at('connectionPool'));
  checkOutlierDetection(settings.outlierDetection, scope.at('outlierDetection'));
  checkClientTls(settings.tls, scope.at('tls'));
}

export function checkTrafficPolicy(policy: TrafficPolicy | undefined, scope: Scope): void {
  if (!policy) return;
  if (Object.keys(policy).length === 0) scope.error('a traffic policy must have at least one field');
  checkSettings(policy, scope);
  checkTunnel(policy, scope);
  each(policy.portLevelSettings, scope.at('portLevelSettings'), (settings, at) => {
    if (settings.port) checkPort(settings.port.number, at.at('port', 'number'));
    else at.at('port').error('settings of a port must name the port');
    checkSettings(settings, at);
  });
}
