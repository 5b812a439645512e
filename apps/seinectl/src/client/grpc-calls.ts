import { fileURLToPath } from 'node:url';
import { Client, credentials, loadPackageDefinition, status, type ServiceError } from '@grpc/grpc-js';
import type { GrpcObject, ServiceClientConstructor, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { configApiLoaderOptions, configApiPackage, configApiProto } from '@seine/api';
import { CommandError } from '../command-error.js';
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

/** @param url `http://host:port`; the config API of a laptop has no TLS */
export function connectConfigApi(url: string): ConfigApi {
  const service = configServiceDefinition();
  const client = new Client(new URL(url).host, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
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

function explain(error: ServiceError, url: string): CommandError {
  const said =
    error.code === status.UNAVAILABLE
      ? `the config API does not answer at ${url}`
      : `the config API at ${url} says: ${error.details || error.message}`;
  return new CommandError(said, 1, { cause: error });
}
