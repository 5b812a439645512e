import path from 'node:path';
import { parseAddress, readFlags, UsageError } from '@seine/nest';
import { trustDomainError, type WorkloadKeyType } from '@seine/ca';

export { UsageError };

/** One identity that the agent keeps certificates of. Paths are absolute. */
export interface WorkloadArguments {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Holds what proves the identity to citadel, and on a shared socket the workload to the agent. */
  readonly tokenFile: string;
  readonly socket: string;
  /** Folders whose files the workload may ask for; undefined = the default of its socket. */
  readonly files: readonly string[] | undefined;
}

export interface AgentArguments {
  readonly citadel: string;
  readonly rootCertFile: string;
  readonly trustDomain: string;
  readonly workloads: readonly WorkloadArguments[];
  readonly keyType: WorkloadKeyType;
  /** Seconds; 0 = citadel's default. */
  readonly lifetime: number;
  readonly admin: { readonly host: string; readonly port: number };
}

/** Where Istio's Envoys look for their secrets. */
const defaultSocket = './var/run/secrets/workload-spiffe-uds/socket';

export const usage = `usage: agent --citadel HOST:PORT --root-cert FILE
             --workload NAME=NAMESPACE/ACCOUNT,token-file=FILE[,socket=PATH][,files=DIR] …
             [--trust-domain NAME] [--socket PATH] [--key-type ecdsa-p256|rsa-2048] [--ttl SECONDS] [--admin HOST:PORT]
  --citadel HOST:PORT   the certificate authority
  --root-cert FILE      PEM: the roots by which citadel and the workloads are known; read again when it changes
  --workload …          an identity, what proves it, and the socket of its own that its Envoys ask on; files=DIR (may be
                        repeated) lets out secrets in files of a folder
  --socket PATH         of workloads without one of their own (default ${defaultSocket});
                        where these are several, each Envoy proves by its workload's token who it is
  --trust-domain NAME   first part of every identity (default cluster.local)
  --key-type TYPE       of the keys that are made (default ecdsa-p256)
  --ttl SECONDS         lifetime to ask for (default: citadel's)
  --admin HOST:PORT     /ready, /healthz, /metrics (default 127.0.0.1:15020)`;

const options = {
  citadel: { type: 'string' },
  'root-cert': { type: 'string' },
  'trust-domain': { type: 'string', default: 'cluster.local' },
  workload: { type: 'string', multiple: true },
  socket: { type: 'string', default: defaultSocket },
  'key-type': { type: 'string', default: 'ecdsa-p256' },
  ttl: { type: 'string', default: '0' },
  admin: { type: 'string', default: '127.0.0.1:15020' },
} as const;

const keyTypes: readonly string[] = ['ecdsa-p256', 'rsa-2048'] satisfies readonly WorkloadKeyType[];

const workloadForm = /^([a-z0-9._-]+)=([a-z0-9-]+)\/([a-z0-9.-]+)$/i;
const workloadKeys: readonly string[] = ['token-file', 'socket', 'files'];

/** `key=path,…` as absolute paths by key. @param wrong throws */
function parsePaths(pairs: readonly string[], wrong: (what: string) => never): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  for (const pair of pairs) {
    const [key = '', ...rest] = pair.split('=');
    const value = rest.join('=');
    if (!workloadKeys.includes(key) || value === '')
      wrong(`'${pair}' is none of ${workloadKeys.map((known) => `${known}=…`).join(', ')}`);
    if (key !== 'files' && paths.has(key)) wrong(`${key} is given twice`);
    paths.set(key, [...(paths.get(key) ?? []), path.resolve(value)]);
  }
  return paths;
}

/** @throws UsageError */
function parseWorkload(text: string, sharedSocket: string): WorkloadArguments {
  const wrong = (what: string): never => {
    throw new UsageError(`--workload '${text}': ${what}`);
  };
  const [head = '', ...pairs] = text.split(',');
  const [, name = '', namespace = '', serviceAccount = ''] =
    workloadForm.exec(head) ?? wrong('begins with NAME=NAMESPACE/ACCOUNT');
  const paths = parsePaths(pairs, wrong);
  const [tokenFile = wrong('lacks token-file=FILE: by what is the identity proved?')] = paths.get('token-file') ?? [];
  const [socket = path.resolve(sharedSocket)] = paths.get('socket') ?? [];
  return { name, namespace, serviceAccount, tokenFile, socket, files: paths.get('files') };
}

function workloadsOf(texts: readonly string[], sharedSocket: string): readonly WorkloadArguments[] {
  const workloads = texts.map((text) => parseWorkload(text, sharedSocket));
  if (workloads.length === 0) throw new UsageError('--workload is required: whose certificates does the agent keep?');
  const names = new Set<string>();
  for (const { name, socket } of workloads) {
    if (names.has(name)) throw new UsageError(`--workload '${name}' is given twice`);
    names.add(name);
    // sun_path has 108 bytes with its final zero.
    if (Buffer.byteLength(socket) > 107) throw new UsageError(`the socket '${socket}' is longer than 107 bytes`);
  }
  return workloads;
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
  return {
    citadel: values.citadel,
    rootCertFile: path.resolve(values['root-cert']),
    trustDomain: values['trust-domain'],
    workloads: workloadsOf(values.workload ?? [], values.socket),
    keyType: values['key-type'] as WorkloadKeyType,
    lifetime,
    admin: parseAddress(values.admin),
  };
}
