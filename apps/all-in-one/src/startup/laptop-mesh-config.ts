import { defaultMeshConfig, type MeshConfig } from '@seine/model';

/**
 * What holds where the user's mesh config says nothing else. Proxies log to mixer, which is here anyway: so there is a graph of
 * the services without anybody asking for it. `defaultProviders.accessLogging` of the user's own takes its place.
 */
export const laptopMeshConfig: MeshConfig = Object.freeze({
  ...defaultMeshConfig,
  defaultProviders: Object.freeze({
    ...defaultMeshConfig.defaultProviders,
    accessLogging: ['mixer'],
    tracing: ['mixer'],
  }),
  // Few requests are made here, and the one that somebody wants to see should be among those traced.
  defaultConfig: Object.freeze({ ...defaultMeshConfig.defaultConfig, tracing: Object.freeze({ sampling: 100 }) }),
});
