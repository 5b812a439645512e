import { configApiLoaderOptions } from './config.js';

/** The messages of `csi.v1` and `pluginregistration` as `@grpc/proto-loader` gives them with `csiLoaderOptions`. */

/** Where the proto files are; the same from the sources and from the build. */
export const csiProto: URL = new URL('../proto/csi/v1/csi.proto', import.meta.url);
export const pluginRegistrationProto: URL = new URL('../proto/pluginregistration/v1/api.proto', import.meta.url);

/** As the config API is loaded. */
export const csiLoaderOptions = configApiLoaderOptions;

export interface NodePublishVolumeMessage {
  readonly volumeId: string;
  readonly targetPath: string;
  readonly volumeCapability: {
    readonly mount?: { readonly volumeMountGroup: string };
    readonly block?: object;
  } | null;
  readonly readonly: boolean;
  readonly volumeContext: Readonly<Record<string, string>>;
}

export interface NodeUnpublishVolumeMessage {
  readonly volumeId: string;
  readonly targetPath: string;
}

export interface RegistrationStatusMessage {
  readonly pluginRegistered: boolean;
  readonly error: string;
}
