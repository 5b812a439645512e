import type { Any } from '@bufbuild/protobuf/wkt';

/** Where a log goes, as Envoy's extension for it is called and configured. */
export interface Sink {
  readonly name: string;
  readonly typedConfig: Any;
}
