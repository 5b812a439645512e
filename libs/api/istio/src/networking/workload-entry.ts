import type { CelRule, ConfigObject } from '@seine/k8s';
import { boundPort, mapOf, message, type Of, text, textMap, uint32 } from '../schema.js';

const fields = {
  address: text('IP address, DNS name, or `unix:///path` (`unix://@name` for an abstract socket).', {
    maxLength: 256,
    rules: [
      {
        rule: "self.startsWith('unix://') ? self.substring(7).startsWith('/') || self.substring(7).startsWith('@') : true",
        message: 'UDS must be an absolute path or abstract socket',
      },
      { rule: "self.startsWith('unix://') ? !self.endsWith('/') : true", message: 'UDS may not be a dir' },
    ],
  }),
  ports: mapOf(
    boundPort('Port number.'),
    'Ports of the workload by the names of the service ports; a port not listed has the number of the service port.',
    {
      maxProperties: 128,
      rules: [
        {
          rule: "self.all(name, size(name) < 63 && name.matches('^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$'))",
          message: 'port name must be valid: letters, digits and dashes',
        },
      ],
    },
  ),
  labels: textMap('Labels, which selectors and subsets test.', { maxProperties: 256 }),
  network: text('Network that the address belongs to; other networks reach it through a gateway.', { maxLength: 2048 }),
  locality: text('Where it stands: `region/zone/subzone`.', { maxLength: 2048 }),
  weight: uint32('Share of traffic, relative to the other endpoints of the locality.'),
  serviceAccount: text('Service account, which gives the workload its identity.', { maxLength: 253 }),
};

const withoutPorts: CelRule = {
  rule: "has(self.address) && self.address.startsWith('unix://') ? !has(self.ports) : true",
  message: 'UDS may not include ports',
};

export const WorkloadEntrySchema = message('A workload outside Kubernetes: a virtual machine, a process.', fields, {
  rules: [{ rule: 'has(self.address) || has(self.network)', message: 'Address is required' }, withoutPorts],
});

/** In a WorkloadGroup the address is left out: each workload has its own. */
export const WorkloadTemplateSchema = message('What the workloads of the group have in common.', fields, {
  rules: [withoutPorts],
});

export type WorkloadEntrySpec = Of<typeof WorkloadEntrySchema>;
export type WorkloadTemplate = Of<typeof WorkloadTemplateSchema>;
export type WorkloadEntry = ConfigObject<WorkloadEntrySpec> & {
  readonly kind: 'WorkloadEntry';
  readonly spec: WorkloadEntrySpec;
};
