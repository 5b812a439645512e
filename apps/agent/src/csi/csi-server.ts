import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type sendUnaryData,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  csiLoaderOptions,
  csiProto,
  type NodePublishVolumeMessage,
  type NodeUnpublishVolumeMessage,
  pluginRegistrationProto,
  type RegistrationStatusMessage,
} from '@seine/api';
import type { CsiArguments } from '../config.js';
import { removeStaleSocket } from '../socket-path.js';
import { CsiError, type Volumes } from './volumes.js';

const socketMode = 0o600;
const folderMode = 0o700;
const mostRequestBytes = 256 * 1024;

interface ServiceClass {
  readonly service: ServiceDefinition;
}

interface Definitions {
  readonly csi: { readonly v1: { readonly Identity: ServiceClass; readonly Node: ServiceClass } };
  readonly pluginregistration: { readonly Registration: ServiceClass };
}

/** The services of CSI and of kubelet's registration, as their proto files say. */
export function csiDefinitions(): Definitions {
  const files = [fileURLToPath(csiProto), fileURLToPath(pluginRegistrationProto)];
  return loadPackageDefinition(loadSync(files, csiLoaderOptions)) as unknown as Definitions;
}

/** Answers with what a function gives, or with its error. */
function unary<Request, Response>(answer: (request: Request) => Response | Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({
            code: error instanceof CsiError ? error.code : status.INTERNAL,
            details: String(error instanceof Error ? error.message : error),
          }),
      );
  };
}

async function listen(socket: string, add: (server: Server) => void): Promise<Server> {
  fs.mkdirSync(path.dirname(socket), { recursive: true, mode: folderMode });
  await removeStaleSocket(socket, socket);
  const server = new Server({ 'grpc.max_receive_message_length': mostRequestBytes });
  add(server);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  fs.chmodSync(socket, socketMode);
  return server;
}

export interface CsiServerOptions extends Pick<
  CsiArguments,
  'socket' | 'driver' | 'nodeId' | 'registrationDir' | 'endpoint'
> {
  readonly version: string;
  readonly volumes: Volumes;
  readonly onRegistered: (message: string) => void;
  readonly onWarning: (message: string) => void;
}

/** The agent as a CSI driver of its node: who may ask is who can open the socket, kubelet as root. */
export class CsiServer {
  private constructor(private readonly servers: readonly Server[]) {}

  /** Serves CSI, and registers at kubelet where that is wanted. @throws Error when a socket cannot be had */
  static async listen(options: CsiServerOptions): Promise<CsiServer> {
    const { csi, pluginregistration } = csiDefinitions();
    const servers = [
      await listen(options.socket, (server) => {
        server.addService(csi.v1.Identity.service, identity(options));
        server.addService(csi.v1.Node.service, node(options));
      }),
    ];
    const { registrationDir, driver } = options;
    if (registrationDir !== undefined)
      // Last: kubelet asks the driver as soon as it sees this socket.
      servers.push(
        await listen(path.join(registrationDir, `${driver}-reg.sock`), (server) =>
          server.addService(pluginregistration.Registration.service, registration(options)),
        ),
      );
    return new CsiServer(servers);
  }

  close(): void {
    for (const server of this.servers) server.forceShutdown();
  }
}

function identity({ driver, version }: CsiServerOptions) {
  return {
    getPluginInfo: unary(() => ({ name: driver, vendorVersion: version })),
    getPluginCapabilities: unary(() => ({})),
    probe: unary(() => ({ ready: { value: true } })),
  };
}

function node({ nodeId, volumes, onWarning }: CsiServerOptions) {
  const told = async (change: Promise<void>): Promise<object> => {
    try {
      await change;
    } catch (error) {
      onWarning(error instanceof Error ? error.message : String(error));
      throw error;
    }
    return {};
  };
  return {
    nodePublishVolume: unary((request: NodePublishVolumeMessage) => told(volumes.publish(request))),
    nodeUnpublishVolume: unary((request: NodeUnpublishVolumeMessage) => told(volumes.unpublish(request))),
    nodeGetCapabilities: unary(() => ({ capabilities: [{ rpc: { type: 'VOLUME_MOUNT_GROUP' } }] })),
    nodeGetInfo: unary(() => ({ nodeId })),
  };
}

function registration({ driver, endpoint, onRegistered, onWarning }: CsiServerOptions) {
  return {
    getInfo: unary(() => ({ type: 'CSIPlugin', name: driver, endpoint, supportedVersions: ['1.0.0'] })),
    notifyRegistrationStatus: unary(({ pluginRegistered, error }: RegistrationStatusMessage) => {
      if (pluginRegistered) onRegistered(`kubelet has registered the driver ${driver}`);
      else onWarning(`kubelet does not register the driver ${driver}: ${error}`);
      return {};
    }),
  };
}
