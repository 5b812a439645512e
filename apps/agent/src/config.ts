import os from 'node:os';
import path from 'node:path';
import { parseAddress, readFlags, UsageError } from '@seine/nest';
import { trustDomainError, type WorkloadKeyType } from '@seine/ca';
import { longestSocketPath } from './socket-path.js';

export { UsageError };

/** One identity that the agent keeps certificates of. Paths are absolute. */
export interface WorkloadArguments {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Holds what proves the identity to citadel, and on a shared socket the workload to the agent. */
  readonly tokenFile: string | undefined;
  readonly socket: string;
  /** Folders whose files the workload may ask for; undefined = the default of its socket. */
  readonly files: readonly string[] | undefined;
  /** `host:port` of its Envoy's admin interface, for its metrics; undefined = it has none here. */
  readonly envoy?: string | undefined;
  /** `host:port/path` of the application's own metrics. */
  readonly scrape?: string | undefined;
}

export interface AgentArguments {
  readonly citadel: string;
  readonly rootCertFile: string;
  readonly trustDomain: string;
  /** Other names of the trust domain (`trustDomainAliases` of the mesh config): its roots speak for them too. */
  readonly trustDomainAliases: readonly string[];
  readonly workloads: readonly WorkloadArguments[];
  /** Files with the roots of other trust domains. */
  readonly federatedBundleFiles: ReadonlyMap<string, string>;
  /** What outlives a restart. */
  readonly stateDir: string | undefined;
  /** Where workloads are put and deleted at run time. */
  readonly adminSocket: string | undefined;
  readonly csi: CsiArguments | undefined;
  /** Only look whether all is in order. */
  readonly check: boolean;
  readonly keyType: WorkloadKeyType;
  /** Seconds; 0 = citadel's default. */
  readonly lifetime: number;
  readonly admin: { readonly host: string; readonly port: number };
}

/** How the agent gives sockets to pods. Paths are absolute. */
export interface CsiArguments {
  /** Where kubelet asks for volumes. */
  readonly socket: string;
  /** The name in `CSIDriver` and in pods' volumes. */
  readonly driver: string;
  readonly nodeId: string;
  /** `bind` needs root; `directory` puts the socket into kubelet's own folder. */
  readonly mount: 'bind' | 'directory';
  /** Of the token among those that kubelet sends along. */
  readonly audience: string;
  /** Owns a pod's socket where the pod has no fsGroup. */
  readonly group: number;
  /** kubelet's folder of plugin sockets; undefined where another program registers. */
  readonly registrationDir: string | undefined;
  /** `socket` as kubelet sees it. */
  readonly endpoint: string;
}

/** Where Istio's Envoys look for their secrets. */
const defaultSocket = './var/run/secrets/workload-spiffe-uds/socket';
const defaultDriver = 'agent.seine.dev';

export const usage = `usage: agent --citadel HOST:PORT --root-cert FILE
             [--workload NAME=NAMESPACE/ACCOUNT,token-file=FILE[,socket=PATH][,files=DIR]
                         [,envoy=HOST:PORT[,scrape=HOST:PORT/PATH]] …] [--admin-socket PATH]
             [--csi-socket PATH [--csi-driver NAME] [--csi-mount bind|directory] [--csi-audience NAME] [--csi-group GID]
              [--csi-registration DIR] [--csi-endpoint PATH] [--node-id NAME]]
             [--federated-bundle DOMAIN=FILE …] [--state DIR] [--trust-domain NAME] [--trust-domain-alias NAME …]
             [--socket PATH]
             [--key-type ecdsa-p256|rsa-2048] [--ttl SECONDS] [--admin HOST:PORT] [--check]
  --citadel HOST:PORT   the certificate authority
  --root-cert FILE      PEM: the roots by which citadel and the workloads are known; read again when it changes
  --workload …          an identity, what proves it, and the socket of its own that its Envoys ask on; files=DIR (may be
                        repeated) lets out secrets in files of a folder; envoy= is the admin interface of its Envoy, and
                        scrape= where its application has metrics: GET /stats/prometheus/NAMESPACE/NAME gives both
  --admin-socket PATH   a Unix socket (mode 600) with HTTP: GET /workloads, PUT and DELETE /workloads/NAME
  --csi-socket PATH     serves CSI there: a pod gets its socket by an inline volume (needs --state)
    --csi-driver NAME       (default ${defaultDriver})
    --csi-mount HOW         bind (default; needs root), or directory: the socket lies in kubelet's own folder
    --csi-audience NAME     of the pod's token, as in tokenRequests of the CSIDriver (default istio-ca)
    --csi-group GID         owns sockets of pods without an fsGroup (default 1337, Istio's proxy)
    --csi-registration DIR  registers there at kubelet, usually /var/lib/kubelet/plugins_registry
    --csi-endpoint PATH     the CSI socket as kubelet sees it (default: --csi-socket)
    --node-id NAME          (default: the host's name)
  --federated-bundle …  roots of another trust domain: PEM, or a SPIFFE bundle (may be repeated)
  --state DIR           what outlives a restart: workloads put at run time, volumes, and the certificates of workloads
                        whose join token is used up (mode 600)
  --socket PATH         of workloads without one of their own (default ${defaultSocket});
                        where these are several, each Envoy proves by its workload's token who it is
  --trust-domain NAME   first part of every identity (default cluster.local)
  --trust-domain-alias NAME  another name of it, that identities have too (trustDomainAliases of the mesh config; may be
                        repeated)
  --key-type TYPE       of the keys that are made (default ecdsa-p256)
  --ttl SECONDS         lifetime to ask for (default: citadel's)
  --admin HOST:PORT     /ready, /healthz, /metrics, /stats/prometheus (default 127.0.0.1:15020)
  --check               serves nothing: says of each file, socket and of citadel whether it is in order`;

const options = {
  citadel: { type: 'string' },
  'root-cert': { type: 'string' },
  'trust-domain': { type: 'string', default: 'cluster.local' },
  'trust-domain-alias': { type: 'string', multiple: true },
  workload: { type: 'string', multiple: true },
  socket: { type: 'string', default: defaultSocket },
  'key-type': { type: 'string', default: 'ecdsa-p256' },
  ttl: { type: 'string', default: '0' },
  admin: { type: 'string', default: '127.0.0.1:15020' },
  'admin-socket': { type: 'string' },
  'federated-bundle': { type: 'string', multiple: true },
  state: { type: 'string' },
  'csi-socket': { type: 'string' },
  'csi-driver': { type: 'string', default: defaultDriver },
  'csi-mount': { type: 'string', default: 'bind' },
  'csi-audience': { type: 'string', default: 'istio-ca' },
  'csi-group': { type: 'string', default: '1337' },
  'csi-registration': { type: 'string' },
  'csi-endpoint': { type: 'string' },
  'node-id': { type: 'string', default: os.hostname() },
  check: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readFlags<typeof options>>;

const keyTypes: readonly string[] = ['ecdsa-p256', 'rsa-2048'] satisfies readonly WorkloadKeyType[];

const workloadForm = /^([a-z0-9._-]+)=([a-z0-9-]+)\/([a-z0-9.-]+)$/i;
const addressKeys: readonly string[] = ['envoy', 'scrape'];
const workloadKeys: readonly string[] = ['token-file', 'socket', 'files', ...addressKeys];
const envoyForm = /^[^\s/]+:\d{1,5}$/;
const scrapeForm = /^[^\s/]+:\d{1,5}\/\S*$/;

/** `key=value,…` by key, paths as absolute ones. @param wrong throws */
function parseWorkloadKeys(
  pairs: readonly string[],
  wrong: (what: string) => never,
): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  for (const pair of pairs) {
    const [key = '', ...rest] = pair.split('=');
    const value = rest.join('=');
    if (!workloadKeys.includes(key) || value === '')
      wrong(`'${pair}' is none of ${workloadKeys.map((known) => `${known}=…`).join(', ')}`);
    if (key !== 'files' && paths.has(key)) wrong(`${key} is given twice`);
    paths.set(key, [...(paths.get(key) ?? []), addressKeys.includes(key) ? value : path.resolve(value)]);
  }
  return paths;
}

/**
 * Where a workload's metrics are.
 * @param envoy `host:port` @param scrape `host:port/path` @param wrong throws
 */
export function metricsAddresses(
  envoy: string | undefined,
  scrape: string | undefined,
  wrong: (what: string) => never,
): Pick<WorkloadArguments, 'envoy' | 'scrape'> {
  if (envoy !== undefined && !envoyForm.test(envoy)) wrong(`envoy '${envoy}' is not HOST:PORT`);
  if (scrape === undefined) return { envoy, scrape };
  if (!scrapeForm.test(scrape)) wrong(`scrape '${scrape}' is not HOST:PORT/PATH`);
  if (envoy === undefined) wrong('scrape lacks envoy (HOST:PORT): with what is it merged?');
  return { envoy, scrape };
}

/** @throws UsageError */
function parseWorkload(text: string, sharedSocket: string): WorkloadArguments {
  const wrong = (what: string): never => {
    throw new UsageError(`--workload '${text}': ${what}`);
  };
  const [head = '', ...pairs] = text.split(',');
  const [, name = '', namespace = '', serviceAccount = ''] =
    workloadForm.exec(head) ?? wrong('begins with NAME=NAMESPACE/ACCOUNT');
  const paths = parseWorkloadKeys(pairs, wrong);
  const [tokenFile = wrong('lacks token-file=FILE: by what is the identity proved?')] = paths.get('token-file') ?? [];
  const [socket = path.resolve(sharedSocket)] = paths.get('socket') ?? [];
  const [[envoy] = [], [scrape] = []] = [paths.get('envoy'), paths.get('scrape')];
  const metrics = metricsAddresses(envoy, scrape, wrong);
  return { name, namespace, serviceAccount, tokenFile, socket, files: paths.get('files'), ...metrics };
}

function workloadsOf(texts: readonly string[], sharedSocket: string): readonly WorkloadArguments[] {
  const workloads = texts.map((text) => parseWorkload(text, sharedSocket));
  const names = new Set<string>();
  for (const { name, socket } of workloads) {
    if (names.has(name)) throw new UsageError(`--workload '${name}' is given twice`);
    names.add(name);
    checkSocketPath(socket);
  }
  return workloads;
}

function checkSocketPath(socket: string): void {
  if (Buffer.byteLength(socket) > longestSocketPath)
    throw new UsageError(`the socket '${socket}' is longer than ${longestSocketPath} bytes`);
}

/** @throws UsageError */
function aliasesOf(names: readonly string[]): readonly string[] {
  for (const name of names) {
    const error = trustDomainError(name);
    if (error !== undefined) throw new UsageError(`--trust-domain-alias '${name}': ${error}`);
  }
  return names;
}

function bundleFilesOf(pairs: readonly string[], own: readonly string[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const pair of pairs) {
    const [domain = '', ...rest] = pair.split('=');
    const error = trustDomainError(domain);
    if (error !== undefined || rest.join('=') === '')
      throw new UsageError(`--federated-bundle '${pair}' is not DOMAIN=FILE${error === undefined ? '' : `: ${error}`}`);
    if (own.includes(domain))
      throw new UsageError(
        `--federated-bundle '${pair}': ${domain} is the own trust domain; its roots are in --root-cert`,
      );
    files.set(domain, path.resolve(rest.join('=')));
  }
  return files;
}

const driverName = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i;

function csiOf(values: Values): CsiArguments | undefined {
  if (values['csi-socket'] === undefined) return undefined;
  if (values.state === undefined) throw new UsageError('--csi-socket needs --state: volumes outlive the agent');
  const { 'csi-mount': mount, 'csi-driver': driver, 'csi-group': group, 'csi-registration': registration } = values;
  if (mount !== 'bind' && mount !== 'directory')
    throw new UsageError(`--csi-mount '${mount}' is none of bind, directory`);
  if (!driverName.test(driver)) throw new UsageError(`--csi-driver '${driver}' is no name of a CSI driver`);
  if (!/^\d{1,9}$/.test(group)) throw new UsageError(`--csi-group '${group}' is not a number`);
  const socket = path.resolve(values['csi-socket']);
  checkSocketPath(socket);
  return {
    socket,
    driver,
    nodeId: values['node-id'],
    mount,
    audience: values['csi-audience'],
    group: Number(group),
    registrationDir: registration === undefined ? undefined : path.resolve(registration),
    endpoint: values['csi-endpoint'] ?? socket,
  };
}

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): AgentArguments {
  const values = readFlags(argv, options);
  if (values.citadel === undefined) throw new UsageError('--citadel is required: who signs?');
  if (values['root-cert'] === undefined)
    throw new UsageError('--root-cert is required: citadel is known by it, never by trust on first use');
  parseAddress(values.citadel);
  const domainError = trustDomainError(values['trust-domain']);
  if (domainError !== undefined) throw new UsageError(`--trust-domain '${values['trust-domain']}': ${domainError}`);
  if (!keyTypes.includes(values['key-type']))
    throw new UsageError(`--key-type '${values['key-type']}' is none of ${keyTypes.join(', ')}`);
  const lifetime = Number(values.ttl);
  if (!Number.isInteger(lifetime) || lifetime < 0)
    throw new UsageError(`--ttl '${values.ttl}' is not a number of seconds`);
  const workloads = workloadsOf(values.workload ?? [], values.socket);
  const trustDomainAliases = aliasesOf(values['trust-domain-alias'] ?? []);
  const adminSocket = values['admin-socket'] === undefined ? undefined : path.resolve(values['admin-socket']);
  if (adminSocket !== undefined) checkSocketPath(adminSocket);
  const csi = csiOf(values);
  if (workloads.length === 0 && adminSocket === undefined && !csi)
    throw new UsageError(
      '--workload, --admin-socket or --csi-socket is required: whose certificates does the agent keep?',
    );
  return {
    citadel: values.citadel,
    rootCertFile: path.resolve(values['root-cert']),
    trustDomain: values['trust-domain'],
    trustDomainAliases,
    workloads,
    federatedBundleFiles: bundleFilesOf(values['federated-bundle'] ?? [], [
      values['trust-domain'],
      ...trustDomainAliases,
    ]),
    stateDir: values.state === undefined ? undefined : path.resolve(values.state),
    adminSocket,
    csi,
    check: values.check,
    keyType: values['key-type'] as WorkloadKeyType,
    lifetime,
    admin: parseAddress(values.admin),
  };
}
