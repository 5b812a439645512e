import type { ConfigObject } from '@seine/k8s';
import { choice, list, message, type Of, textMap, texts } from '../schema.js';

/** `rbac.istio.io/v1alpha1` ClusterRbacConfig, and its forerunner of a namespace, RbacConfig. */

export const RbacTargetSchema = message('Services, by their names or namespaces.', {
  services: texts('Full names of services, as `mongodb.default.svc.cluster.local`.'),
  workloadSelectors: list(
    message('Workloads, by labels.', { labels: textMap('Labels that they have.') }),
    'Never read by Istio.',
  ),
  namespaces: texts('Namespaces.'),
});

export const RbacConfigSchema = message(
  'For which services roles decide who may call them, as Istio 1.0 to 1.5 had it. Acts as AuthorizationPolicies that mean the same.',
  {
    mode: choice(['OFF', 'ON', 'ON_WITH_INCLUSION', 'ON_WITH_EXCLUSION'], 'For none, all, or some services.', {
      fallback: 'OFF',
    }),
    inclusion: RbacTargetSchema,
    exclusion: RbacTargetSchema,
    enforcementMode: choice(['ENFORCED', 'PERMISSIVE'], 'Whether what roles say is only counted and logged.', {
      fallback: 'ENFORCED',
    }),
  },
);

export type RbacTarget = Of<typeof RbacTargetSchema>;
export type RbacConfigSpec = Of<typeof RbacConfigSchema>;
export type RbacConfig = ConfigObject<RbacConfigSpec> & {
  readonly kind: 'ClusterRbacConfig' | 'RbacConfig';
  readonly spec: RbacConfigSpec;
};
