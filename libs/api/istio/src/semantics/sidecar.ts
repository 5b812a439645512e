import type { IstioEgressListener, IstioIngressListener, SidecarSpec } from '../networking/sidecar.js';
import type { Scope } from '../validation/scope.js';
import { isIP } from './addresses.js';
import { checkDestination } from './destination.js';
import { each } from './each.js';
import { checkLabels, checkPort, checkProtocol, checkScopedHost, isTls } from './field-checks.js';
import { checkBind, checkUnixSocket } from './gateway.js';
import { checkServerTls } from './server-tls.js';

const endpointForms = 'be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix:///path';

/** Where the application listens: on this machine, whatever its address. */
function checkDefaultEndpoint(endpoint: string | undefined, scope: Scope): void {
  if (!endpoint) return;
  if (endpoint.startsWith('unix://')) {
    checkUnixSocket(endpoint, scope);
    return;
  }
  const match = /^(127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]):(\d{1,5})$/.exec(endpoint);
  if (!match) scope.error(`defaultEndpoint must ${endpointForms}, but is ${JSON.stringify(endpoint)}`);
  else checkPort(Number(match[2]), scope);
}

function checkIngressTls({ tls, port }: IstioIngressListener, scope: Scope): void {
  if (!tls) return;
  for (const field of ['credentialName', 'credentialNames'] as const)
    if (tls[field]?.length)
      scope
        .at(field)
        .warning('Sidecars take their certificates from files: nothing gets past this listener.', 'SEINE-UNSUPPORTED');
  if (tls.httpsRedirect) scope.at('httpsRedirect').error('is not supported in the ingress of a sidecar');
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH')
    scope.at('mode').error(`${tls.mode} is not supported in the ingress of a sidecar`);
  if (port.protocol && !isTls(port.protocol)) scope.error('TLS settings need the protocol HTTPS or TLS');
  checkServerTls(tls, scope);
}

function checkTargetPort({ targetPort }: IstioIngressListener['port'], scope: Scope): void {
  if (targetPort) scope.at('targetPort').warning('Istio ignores this field, and so does Seine.', 'SEINE-UNSUPPORTED');
}

function checkIngress({ ingress }: SidecarSpec, scope: Scope): void {
  const ports = new Set<number | undefined>();
  each(ingress, scope, (listener, at) => {
    const { port, bind, defaultEndpoint } = listener;
    checkPort(port.number, at.at('port', 'number'));
    checkTargetPort(port, at.at('port'));
    if (port.protocol) checkProtocol(port.protocol, at.at('port', 'protocol'));
    if (ports.has(port.number)) at.at('port', 'number').error('ports on ingress listeners must be unique');
    ports.add(port.number);
    if (bind && !isIP(bind)) at.at('bind').error(`${JSON.stringify(bind)} is not an IP address`);
    checkDefaultEndpoint(defaultEndpoint, at.at('defaultEndpoint'));
    checkIngressTls(listener, at.at('tls'));
  });
}

function checkEgressPort({ port, bind, captureMode }: IstioEgressListener, scope: Scope): void {
  const unix = bind?.startsWith('unix://') ?? false;
  checkBind(bind, scope.at('bind'));
  if (!port) {
    if (bind) scope.error('a listener with bind needs a port');
    return;
  }
  checkTargetPort(port, scope.at('port'));
  if (port.protocol) checkProtocol(port.protocol, scope.at('port', 'protocol'));
  if (unix && captureMode !== undefined && captureMode !== 'DEFAULT' && captureMode !== 'NONE')
    scope.at('captureMode').error('must be DEFAULT or NONE for a unix socket');
  if (!unix) checkPort(port.number, scope.at('port', 'number'));
}

function checkEgress({ egress }: SidecarSpec, scope: Scope): void {
  const listeners = new Set<string>();
  each(egress, scope, (listener, at) => {
    checkEgressPort(listener, at);
    const id = listener.port ? `${listener.bind ?? ''}:${listener.port.number ?? 0}` : 'all';
    if (listeners.has(id))
      at.error(
        id === 'all' ? 'only one egress listener may be without a port' : 'another egress listener has this port',
      );
    listeners.add(id);
    if (listener.hosts.length === 0) at.at('hosts').error('an egress listener must name at least one host');
    const hosts = new Set<string>();
    each(listener.hosts, at.at('hosts'), (host, hostAt) => {
      checkScopedHost(host, hostAt, { gateway: false });
      if (hosts.has(host)) hostAt.error(`duplicate host ${JSON.stringify(host)}`);
      hosts.add(host);
    });
  });
  const catchAll = egress?.findIndex(({ port }) => !port) ?? -1;
  if (egress && catchAll >= 0 && catchAll < egress.length - 1)
    scope.at(catchAll).error('the egress listener without a port must be the last one');
}

/** What Istio asks of a Sidecar beyond its schema. */
export function checkSidecar(spec: SidecarSpec, scope: Scope): void {
  if (!spec.ingress?.length && !spec.egress?.length && !spec.outboundTrafficPolicy && !spec.inboundConnectionPool)
    scope.error('a sidecar must set ingress, egress, outboundTrafficPolicy or inboundConnectionPool');
  checkLabels(spec.workloadSelector?.labels, scope.at('workloadSelector', 'labels'));
  checkIngress(spec, scope.at('ingress'));
  checkEgress(spec, scope.at('egress'));
  const proxy = spec.outboundTrafficPolicy?.egressProxy;
  if (proxy) checkDestination(proxy, scope.at('outboundTrafficPolicy', 'egressProxy'));
}
