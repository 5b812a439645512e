/**
 * What has become of the WebAssembly module of one WasmPlugin or TrafficExtension. `ready`: pilot holds it; `proxy-file`: it lies
 * in the proxy's own file system; `missing`: it cannot be had, now.
 */
export type WasmModule =
  | {
      readonly state: 'ready';
      /** Of the module itself, in hex. */
      readonly sha256: string;
      readonly bytes: Uint8Array;
    }
  | { readonly state: 'proxy-file'; readonly path: string }
  | { readonly state: 'missing'; /** One sentence, for people. */ readonly reason: string };
