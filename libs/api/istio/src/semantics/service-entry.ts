import type { ServiceEntrySpec } from '../networking/service-entry.js';
import type { Scope } from '../validation/scope.js';
import { isDomain, isIP, isLabel, isWildcardDomain } from './addresses.js';
import { each } from './each.js';
import { checkExportTo, checkLabels, checkPrefix, checkProtocol, isHttp, isTls } from './field-checks.js';
import { checkWorkload } from './workload-entry.js';

function checkPorts({ ports }: ServiceEntrySpec, scope: Scope): void {
  each(ports, scope, ({ name, protocol }, at) => {
    if (!isLabel(name)) at.at('name').error(`${JSON.stringify(name)} is not a name of letters, digits and dashes`);
    if (protocol) checkProtocol(protocol, at.at('protocol'));
  });
}

function checkEndpoints({ endpoints, resolution, ports = [] }: ServiceEntrySpec, scope: Scope): void {
  const names = new Set(ports.map((port) => port.name));
  each(endpoints, scope, (endpoint, at) => {
    checkWorkload(endpoint, at);
    const { address = '' } = endpoint;
    const unix = address.startsWith('unix://');
    if (resolution === 'STATIC' && address && !unix && !isIP(address))
      at.at('address').error(
        `must be an IP address or a unix socket for resolution STATIC, but is ${JSON.stringify(address)}`,
      );
    if (unix && ports.length !== 1) at.at('address').error('a unix socket needs exactly one service port');
    for (const name of Object.keys(endpoint.ports ?? {}))
      if (!names.has(name))
        at.at('ports', name).error(`port ${JSON.stringify(name)} is not defined by the service entry`);
  });
}

function checkDynamicDns({ hosts, addresses = [], endpoints = [], workloadSelector }: ServiceEntrySpec, scope: Scope) {
  if (endpoints.length > 0 || workloadSelector)
    scope.error('DYNAMIC_DNS resolves the host that was asked for, so it has no endpoints and no workloadSelector');
  if (addresses.length > 0) scope.at('addresses').error('cannot be set with DYNAMIC_DNS, which goes by hosts only');
  each(hosts, scope.at('hosts'), (host, at) => {
    if (!host.startsWith('*')) at.error(`must begin with a wildcard for DYNAMIC_DNS, but is ${JSON.stringify(host)}`);
  });
}

function checkResolution(spec: ServiceEntrySpec, scope: Scope): void {
  const { hosts, addresses = [], endpoints = [], resolution = 'NONE', ports = [], workloadSelector } = spec;
  const byDns = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN';
  if (byDns && endpoints.length === 0 && !workloadSelector)
    each(hosts, scope.at('hosts'), (host, at) => {
      if (!isDomain(host))
        at.error(
          `must be a full DNS name if no endpoints are provided for resolution ${resolution}, but is ${JSON.stringify(host)}`,
        );
    });
  if (resolution === 'DYNAMIC_DNS') checkDynamicDns(spec, scope);
  const opaque = ports.find(({ protocol = 'TCP' }) => !isHttp(protocol) && !isTls(protocol));
  if (hosts.length > 1 && resolution !== 'NONE' && opaque && addresses.length === 0)
    scope
      .at('hosts')
      .warning(
        `several hosts cannot be told apart on port ${opaque.name}, which is neither HTTP nor TLS; use one ServiceEntry each`,
      );
}

/** What Istio asks of a ServiceEntry beyond its schema. */
export function checkServiceEntry(spec: ServiceEntrySpec, scope: Scope): void {
  each(spec.hosts, scope.at('hosts'), (host, at) => {
    if (!isWildcardDomain(host)) at.error(`${JSON.stringify(host)} is not a DNS name, nor one with a leading wildcard`);
  });
  each(spec.addresses, scope.at('addresses'), checkPrefix);
  checkPorts(spec, scope.at('ports'));
  checkEndpoints(spec, scope.at('endpoints'));
  checkResolution(spec, scope);
  checkLabels(spec.workloadSelector?.labels, scope.at('workloadSelector', 'labels'));
  checkExportTo(spec.exportTo, scope.at('exportTo'), { none: true });
}
