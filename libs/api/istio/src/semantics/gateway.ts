import type { GatewaySpec, Server, ServerTLSSettings } from '../networking/gateway.js';
import type { Scope } from '../validation/scope.js';
import { isIP } from './addresses.js';
import { each } from './each.js';
import { checkLabels, checkPort, checkProtocol, checkScopedHost, isHttp, isTls } from './field-checks.js';
import { checkServerTls } from './server-tls.js';

const unixPrefix = 'unix://';
const unsupported = 'SEINE-UNSUPPORTED';

/** `unix:///path` or `unix://@abstract`. */
export function checkUnixSocket(address: string, scope: Scope): void {
  const path = address.slice(unixPrefix.length);
  if (!path.startsWith('/') && !path.startsWith('@'))
    scope.error(`${JSON.stringify(address)} must have an absolute path or an abstract socket, as unix:///run/x.sock`);
  else if (path.endsWith('/')) scope.error(`${JSON.stringify(address)} names a directory`);
}

/** Address to listen on; a unix socket has no port. */
export function checkBind(bind: string | undefined, scope: Scope): void {
  if (!bind) return;
  if (bind.startsWith(unixPrefix)) checkUnixSocket(bind, scope);
  else if (!isIP(bind)) scope.error(`${JSON.stringify(bind)} is neither an IP address nor a unix socket`);
}

function checkServerPort({ port, bind }: Server, scope: Scope): void {
  checkProtocol(port.protocol, scope.at('port', 'protocol'));
  const unix = bind?.startsWith(unixPrefix) ?? false;
  if (unix && port.number !== 0) scope.at('port', 'number').error('must be 0 for a unix socket');
  if (!unix) checkPort(port.number, scope.at('port', 'number'));
  if (port.name === '') scope.at('port', 'name').error('a port must have a name');
}

/** Settings that leave a plain HTTP server what it is; httpsRedirect is the one that does something there. */
function endsNoTls({
  mode = 'PASSTHROUGH',
  serverCertificate,
  privateKey,
  caCertificates,
}: ServerTLSSettings): boolean {
  return (
    (mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') && !serverCertificate && !privateKey && !caCertificates
  );
}

function checkTls({ port, tls }: Server, scope: Scope): void {
  if (isTls(port.protocol)) {
    if (!tls) scope.error(`server must have TLS settings for the protocol ${port.protocol}`);
    else if (tls.httpsRedirect) scope.at('tls', 'httpsRedirect').warning('has an effect on plain HTTP servers only');
  } else if (tls && !(isHttp(port.protocol) && endsNoTls(tls))) {
    const but = isHttp(port.protocol) ? ', but for httpsRedirect' : '';
    scope.at('tls').error(`server cannot have TLS settings for the protocol ${port.protocol}${but}`);
  }
}

function checkServer(server: Server, scope: Scope): void {
  if (server.hosts.length === 0) scope.at('hosts').error('server must serve at least one host');
  each(server.hosts, scope.at('hosts'), (host, at) => checkScopedHost(host, at, { gateway: true }));
  checkServerPort(server, scope);
  checkBind(server.bind, scope.at('bind'));
  if (server.defaultEndpoint)
    scope
      .at('defaultEndpoint')
      .warning('gateways have no application beside them: it has no effect, as in Istio', unsupported);
  if (server.port.targetPort)
    scope
      .at('port', 'targetPort')
      .warning("it has no effect: the target port of the gateway's Service counts", unsupported);
  checkTls(server, scope);
  checkServerTls(server.tls, scope.at('tls'));
}

/** What Istio asks of a Gateway beyond its schema. */
export function checkGateway(spec: GatewaySpec, scope: Scope): void {
  if (!spec.servers || spec.servers.length === 0) scope.at('servers').error('gateway must have at least one server');
  const portNames = new Set<string>();
  const serverNames = new Set<string>();
  each(spec.servers, scope.at('servers'), (server, at) => {
    checkServer(server, at);
    if (portNames.has(server.port.name))
      at.at('port', 'name').error(`port names in servers must be unique: ${JSON.stringify(server.port.name)} is not`);
    portNames.add(server.port.name);
    if (server.name && serverNames.has(server.name))
      at.at('name').error(`another server is called ${server.name} already`);
    serverNames.add(server.name ?? '');
  });
  checkLabels(spec.selector, scope.at('selector'));
}
