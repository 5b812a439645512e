import type { ConfigObject } from '@seine/k8s';
import { choice, mapOf, message, type Of } from '../schema.js';
import { LabelSelectorSchema } from '../networking/selector.js';

export const MutualTLSSchema = message('Whether callers must use mutual TLS.', {
  mode: choice(
    ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'],
    'As the namespace or mesh says, plain text only, both, or mutual TLS only.',
    { fallback: 'UNSET' },
  ),
});

export const PeerAuthenticationSchema = message(
  'Whether workloads take connections in plain text, with mutual TLS, or both.',
  {
    selector: LabelSelectorSchema,
    mtls: MutualTLSSchema,
    portLevelMtls: mapOf(MutualTLSSchema, 'Settings of single ports, by the port number of the workload.', {
      minProperties: 1,
      rules: [
        {
          rule: 'self.all(port, int(port) >= 1 && int(port) <= 65535)',
          message: 'port must be between 1-65535',
        },
      ],
    }),
  },
  {
    rules: [
      {
        rule: 'has(self.portLevelMtls) ? has(self.selector) && has(self.selector.matchLabels) && size(self.selector.matchLabels) > 0 : true',
        message: 'portLevelMtls requires selector',
      },
    ],
  },
);
export type MutualTLS = Of<typeof MutualTLSSchema>;
export type PeerAuthenticationSpec = Of<typeof PeerAuthenticationSchema>;
export type PeerAuthentication = ConfigObject<PeerAuthenticationSpec> & {
  readonly kind: 'PeerAuthentication';
  readonly spec: PeerAuthenticationSpec;
};
