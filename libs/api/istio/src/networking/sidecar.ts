import type { ConfigObject } from '@seine/k8s';
import { choice, described, list, message, type Of, port, text, texts } from '../schema.js';
import { ConnectionPoolSettingsSchema } from './destination-rule.js';
import { ServerTLSSettingsSchema } from './gateway.js';
import { WorkloadSelectorSchema } from './selector.js';
import { DestinationSchema } from './virtual-service.js';

export const SidecarPortSchema = message('A port with its protocol.', {
  number: port('Port number.'),
  protocol: text('HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.'),
  name: text('Name of the port.'),
  targetPort: port('Deprecated, has no effect.'),
});
const captureMode = choice(['DEFAULT', 'IPTABLES', 'NONE'], 'How traffic comes to the listener.', {
  fallback: 'DEFAULT',
});

export const IstioIngressListenerSchema = message(
  'A port that the workload serves.',
  {
    port: SidecarPortSchema,
    bind: text('Address to listen on.'),
    captureMode,
    defaultEndpoint: text('Where the application is: `127.0.0.1:PORT`, `0.0.0.0:PORT`, `unix:///path`.'),
    tls: ServerTLSSettingsSchema,
    connectionPool: described(ConnectionPoolSettingsSchema, 'Limits of what comes in on this port.'),
  },
  { required: ['port'] },
);

export const IstioEgressListenerSchema = message(
  'What the workload calls.',
  {
    port: SidecarPortSchema,
    bind: text('Address or unix socket to listen on.'),
    captureMode,
    hosts: texts('Services, `namespace/host`: `*` all namespaces, `.` its own, `~` none.'),
  },
  { required: ['hosts'] },
);

export const OutboundTrafficPolicySchema = message('What happens to calls to unknown destinations.', {
  mode: choice(['REGISTRY_ONLY', 'ALLOW_ANY'], 'Refuse them, or let them pass.', { fallback: 'ALLOW_ANY' }),
  egressProxy: described(DestinationSchema, 'Where calls to unknown destinations are sent.'),
});

export const SidecarSchema = message('What a sidecar is given: which services it can call, which ports it serves.', {
  workloadSelector: WorkloadSelectorSchema,
  ingress: list(IstioIngressListenerSchema, 'Ports it serves; found out when absent.'),
  egress: list(IstioEgressListenerSchema, 'Services it calls; all when absent.'),
  inboundConnectionPool: described(ConnectionPoolSettingsSchema, 'Limits of what comes in, for all ports.'),
  outboundTrafficPolicy: OutboundTrafficPolicySchema,
});
export type IstioIngressListener = Of<typeof IstioIngressListenerSchema>;
export type IstioEgressListener = Of<typeof IstioEgressListenerSchema>;
export type SidecarSpec = Of<typeof SidecarSchema>;
export type Sidecar = ConfigObject<SidecarSpec> & { readonly kind: 'Sidecar'; readonly spec: SidecarSpec };
