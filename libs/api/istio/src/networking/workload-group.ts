import type { ConfigObject } from '@seine/k8s';
import { boundPort, integer, list, message, type Of, text, textMap, texts } from '../schema.js';
import { WorkloadTemplateSchema } from './workload-entry.js';

const seconds = (description: string, fallback: string) => integer(description, { minimum: 0, fallback });

export const HTTPHealthCheckSchema = message(
  'Asks by HTTP; a status from 200 to 399 is healthy.',
  {
    path: text('Path to ask for.', { fallback: '/' }),
    port: boundPort('Port to ask on.'),
    host: text('Host to ask, which is also the Host header.', { fallback: '127.0.0.1' }),
    scheme: text('HTTP or HTTPS.', {
      fallback: 'HTTP',
      rules: [{ rule: "self in ['', 'HTTP', 'HTTPS']", message: 'scheme must be one of [HTTP, HTTPS]' }],
    }),
    httpHeaders: list(
      message('A header.', {
        name: text('Name of the header.', { pattern: '^[-_A-Za-z0-9]+$' }),
        value: text('Value of the header.'),
      }),
      'Headers to send.',
    ),
  },
  { required: ['port'] },
);

export const ReadinessProbeSchema = message(
  'How the agent finds out whether the workload is healthy.',
  {
    initialDelaySeconds: seconds('Seconds after the start until the first try.', '0'),
    timeoutSeconds: seconds('Seconds that a try may take.', '1'),
    periodSeconds: seconds('Seconds between tries.', '10'),
    successThreshold: seconds('Successes in a row that make it healthy.', '1'),
    failureThreshold: seconds('Failures in a row that make it unhealthy.', '3'),
    httpGet: HTTPHealthCheckSchema,
    tcpSocket: message(
      'Opens a TCP connection.',
      { host: text('Host to connect to.', { fallback: '127.0.0.1' }), port: boundPort('Port to connect to.') },
      { required: ['port'] },
    ),
    exec: message(
      'Runs a command; exit code 0 is healthy.',
      { command: texts('Program and arguments, without a shell.', { of: { minLength: 1 } }) },
      { required: ['command'] },
    ),
    grpc: message('Asks by the gRPC health protocol.', {
      port: boundPort('Port to ask on.'),
      service: text('Name of the service to ask about.'),
    }),
  },
  { oneofs: [['httpGet', 'tcpSocket', 'exec', 'grpc']] },
);

export const WorkloadGroupSchema = message(
  'What WorkloadEntries that register themselves are made from, as a Deployment does for pods.',
  {
    metadata: message('Metadata of the entries that are made.', {
      labels: textMap('Labels of the entries.', { maxProperties: 256 }),
      annotations: textMap('Annotations of the entries.', { maxProperties: 256 }),
    }),
    template: WorkloadTemplateSchema,
    probe: ReadinessProbeSchema,
  },
  { required: ['template'] },
);

export type ReadinessProbe = Of<typeof ReadinessProbeSchema>;
export type WorkloadGroupSpec = Of<typeof WorkloadGroupSchema>;
export type WorkloadGroup = ConfigObject<WorkloadGroupSpec> & {
  readonly kind: 'WorkloadGroup';
  readonly spec: WorkloadGroupSpec;
};
