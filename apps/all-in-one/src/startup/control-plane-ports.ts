/** Where the control plane of one machine listens: on loopback alone, as not everybody proves who they are. */
export const controlPlanePorts = {
  xds: { host: '127.0.0.1', port: 15_012, scheme: 'https', who: 'pilot (xDS)' },
  citadel: { host: '127.0.0.1', port: 15_013, scheme: 'https', who: 'citadel (certificates)' },
  pilotAdmin: { host: '127.0.0.1', port: 15_014, scheme: 'http', who: 'pilot (metrics and debug)' },
  mixer: { host: '127.0.0.1', port: 9091, scheme: 'https', who: 'mixer (policy, telemetry)' },
  configApi: { host: '127.0.0.1', port: 15_019, scheme: 'https', who: 'the config API' },
} as const;

/** Istio's metrics of all workloads, merged. */
export const metricsUrl = `http://${controlPlanePorts.pilotAdmin.host}:${controlPlanePorts.pilotAdmin.port}/stats/prometheus`;
