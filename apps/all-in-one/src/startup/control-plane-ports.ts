/** Where the control plane of one machine listens: on loopback alone, as nobody proves who they are. */
export const controlPlanePorts = {
  xds: { host: '127.0.0.1', port: 15_010, who: 'pilot (xDS)' },
  pilotAdmin: { host: '127.0.0.1', port: 15_014, who: 'pilot (metrics and debug)' },
  configApi: { host: '127.0.0.1', port: 15_019, who: 'the config API' },
} as const;
