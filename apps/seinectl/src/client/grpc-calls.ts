import fs from 'node:fs';
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { fileURLToPath } from 'node:url';
import {
  type ChannelCredentials,
  Client,
  credentials,
  loadPackageDefinition,
  status,
  type ServiceError,
} from '@grpc/grpc-js';
import type { GrpcObject, ServiceClientConstructor, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { configApiLoaderOptions, configApiPackage, configApiProto } from '@seine/api';
import { CommandError } from '../command-error.js';
import type { ConfigApiTarget } from '../runtime/addresses.js';
import { ConfigApi } from './config-api.js';

/** Unary calls of the config API by name. */
export interface GrpcCalls {
  call<Answer>(method: string, request: object): Promise<Answer>;
  close(): void;
}

/** Milliseconds in which a call must be answered: a large apply is validated in far less. */
const deadlineMs = 60_000;

/** The service as its proto file defines it. */
export function configServiceDefinition(): ServiceDefinition {
  // grpc-js types the loader's Long conversion as a function of any kind; the options say Number.
  const definition = loadSync(fileURLToPath(configApiProto), { ...configApiLoaderOptions });
  let found: GrpcObject[string] = loadPackageDefinition(definition);
  for (const name of [...configApiPackage.split('.'), 'ConfigService']) found = (found as GrpcObject)[name] ?? {};
  return (found as ServiceClientConstructor).service;
}

/** Opens nothing yet. @throws CommandError where the files of a certificate cannot be read */
export function connectConfigApi(target: ConfigApiTarget): ConfigApi {
  const { url } = target;
  const service = configServiceDefinition();
  const { host, hostname } = new URL(url);
  const client = new Client(host, credentialsFor(target), {
    'grpc.max_receive_message_length': -1,
    // A server name may not be an address (RFC 6066, 3); who answers is known by its SPIFFE ID.
    ...(isIP(hostname.replace(/^\[|\]$/g, '')) && { 'grpc.ssl_target_name_override': 'registry.istio-system.svc' }),
  });
  const call = <Answer>(name: string, request: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const method = service[name];
      if (!method) throw new Error(`the config API has no method ${name}`);
      client.makeUnaryRequest<object, Answer>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize as (bytes: Buffer) => Answer,
        request,
        { deadline: Date.now() + deadlineMs },
        (error, answer) => {
          if (error) reject(explain(error, url));
          else if (answer === undefined) reject(new CommandError(`the config API at ${url} gave no answer`));
          else resolve(answer);
        },
      );
    });
  return new ConfigApi({ call, close: () => client.close() });
}

function readPem(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    throw new CommandError(`${file}: ${(error as Error).message}`, 1, { cause: error });
  }
}

function credentialsFor({ client }: ConfigApiTarget): ChannelCredentials {
  if (!client) return credentials.createInsecure();
  const { certificate, key, roots, server } = client;
  // TLS has verified the chain before. An equal text is one URI name and no other: Node quotes what would look like it.
  const checkServerIdentity = (_name: string, { subjectaltname }: PeerCertificate): Error | undefined =>
    subjectaltname === `URI:${server}`
      ? undefined
      : new Error(`the server is ${subjectaltname ?? 'nobody'} where ${server} was expected`);
  return credentials.createSsl(readPem(roots), readPem(key), readPem(certificate), { checkServerIdentity });
}

function explain(error: ServiceError, url: string): CommandError {
  const said =
    error.code === status.UNAVAILABLE
      ? `the config API does not answer at ${url}${url.startsWith('https:') ? `: ${error.details}` : ''}`
      : `the config API at ${url} says: ${error.details || error.message}`;
  return new CommandError(said, 1, { cause: error });
}
