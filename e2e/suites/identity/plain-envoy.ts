/** Ports of the pair: where callers of the client come in, and of a cluster that expects another server. */
export interface Ports {
  readonly client: number;
  readonly wrong: number;
  readonly server: number;
  readonly clientAdmin: number;
  readonly serverAdmin: number;
}

export interface PlainEnvoyOptions {
  readonly ports: Ports;
  /** SPIFFE ID of the other one. */
  readonly peer: string;
  /** Of the agent. */
  readonly socket: string;
  /** Where set, each stream proves by its content who asks: what a socket of several workloads needs. */
  readonly tokenFile?: string;
  readonly echoPort: number;
}

const host = '127.0.0.1';
const tls = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const http = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const protocolOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function address(port: number) {
  return { socket_address: { address: host, port_value: port } };
}

type Agent = Pick<PlainEnvoyOptions, 'socket' | 'tokenFile'>;

function grpcService({ socket, tokenFile }: Agent) {
  if (tokenFile === undefined) return { envoy_grpc: { cluster_name: 'sds-grpc' } };
  const plugin = 'envoy.grpc_credentials.file_based_metadata';
  const token = {
    '@type': 'type.googleapis.com/envoy.config.grpc_credential.v3.FileBasedMetadataConfig',
    secret_data: { filename: tokenFile },
  };
  return {
    google_grpc: {
      target_uri: `unix:${socket}`,
      stat_prefix: 'sds',
      channel_credentials: { local_credentials: {} },
      credentials_factory_name: plugin,
      call_credentials: [{ from_plugin: { name: plugin, typed_config: token } }],
    },
  };
}

function secret(name: string, agent: Agent) {
  const source = { api_type: 'GRPC', transport_api_version: 'V3', grpc_services: [grpcService(agent)] };
  return { name, sds_config: { api_config_source: source, initial_fetch_timeout: '0s', resource_api_version: 'V3' } };
}

/** As Istio's sidecars have it: own certificate `default`, others by `ROOTCA` and the URI in their certificates. */
function tlsContext(peer: string, agent: Agent) {
  const names = [{ san_type: 'URI', matcher: { exact: peer } }];
  return {
    tls_certificate_sds_secret_configs: [secret('default', agent)],
    combined_validation_context: {
      default_validation_context: { match_typed_subject_alt_names: names },
      validation_context_sds_secret_config: secret('ROOTCA', agent),
    },
  };
}

/** @param context undefined = plain text */
function cluster(name: string, port: number, context?: object) {
  const upstream = { '@type': `${tls}.UpstreamTlsContext`, common_tls_context: context };
  const options = {
    '@type': `type.googleapis.com/${protocolOptions}`,
    explicit_http_config: { http_protocol_options: {} },
    // New handshakes all the time: certificates of a connection are looked at when it is made.
    common_http_protocol_options: { max_requests_per_connection: 5 },
  };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    typed_extension_protocol_options: { [protocolOptions]: options },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
    ...(context !== undefined && { transport_socket: { name: 'tls', typed_config: upstream } }),
  };
}

/** @param context undefined = plain text */
function listener(name: string, port: number, target: string, context?: object) {
  const routes = [{ match: { prefix: '/' }, route: { cluster: target } }];
  const manager = {
    '@type': http,
    stat_prefix: name,
    forward_client_cert_details: 'SANITIZE_SET',
    set_current_client_cert_details: { uri: true },
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const downstream = {
    '@type': `${tls}.DownstreamTlsContext`,
    require_client_certificate: true,
    common_tls_context: context,
  };
  return {
    name,
    address: address(port),
    filter_chains: [
      {
        filters: [{ name: 'http', typed_config: manager }],
        ...(context !== undefined && { transport_socket: { name: 'tls', typed_config: downstream } }),
      },
    ],
  };
}

/** The bootstrap of an Envoy that knows an agent, and no pilot: client → server over mTLS → echo. */
export function plainEnvoy(name: 'client' | 'server', options: PlainEnvoyOptions): object {
  const { ports, peer, socket, echoPort } = options;
  const [context, wrong] = [tlsContext(peer, options), tlsContext(`${peer}-of-somebody-else`, options)];
  const sds = {
    name: 'sds-grpc',
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      [protocolOptions]: {
        '@type': `type.googleapis.com/${protocolOptions}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: 'sds-grpc',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
    },
  };
  const isClient = name === 'client';
  return {
    node: { id: name, cluster: name },
    admin: { address: address(isClient ? ports.clientAdmin : ports.serverAdmin) },
    static_resources: {
      listeners: isClient
        ? [listener('in', ports.client, 'server'), listener('wrong', ports.wrong, 'wrong')]
        : [listener('in', ports.server, 'echo', context)],
      clusters: isClient
        ? [sds, cluster('server', ports.server, context), cluster('wrong', ports.server, wrong)]
        : [sds, cluster('echo', echoPort)],
    },
  };
}
