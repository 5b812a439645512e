import type { LocalityLoadBalancerSetting, TrafficPolicy, ZoneAwareLoadBalancerSetting } from '@seine/istio';
import type { MeshConfig, MeshService } from '@seine/model';

/** What of the mesh's settings says how localities count. */
export type LocalityDefaults = Pick<MeshConfig, 'localityLbSetting' | 'zoneAwareLbSetting' | 'defaultTrafficPolicy'>;

/** The one setting that is in force for a cluster. */
export type LocalityPolicy =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'locality';
      readonly setting: LocalityLoadBalancerSetting;
      /** Priorities are worth while: somebody finds out that endpoints are unhealthy, or the service asks for nearness. */
      readonly failsOver: boolean;
    }
  | { readonly kind: 'zone-aware'; readonly setting: ZoneAwareLoadBalancerSetting };

const none: LocalityPolicy = Object.freeze({ kind: 'none' });

/** Labels by which `trafficDistribution` of a Service prefers endpoints, the most important first. */
const preferred: Readonly<Record<NonNullable<MeshService['trafficDistribution']>, readonly string[]>> = {
  PreferSameZone: ['topology.istio.io/network', 'topology.kubernetes.io/region', 'topology.kubernetes.io/zone'],
  PreferSameNode: [
    'topology.istio.io/network',
    'topology.kubernetes.io/region',
    'topology.kubernetes.io/zone',
    'topology.istio.io/subzone',
    'kubernetes.io/hostname',
  ],
};

/**
 * Which setting counts: the DestinationRule's, the Service's `trafficDistribution`, the mesh's, in this order; in rule and
 * mesh `zoneAwareLbSetting` goes before `localityLbSetting`. Failover by priorities is on by default, but only together
 * with outlier detection: Envoy leaves a priority only when its endpoints are known to be unhealthy.
 */
export function localityPolicy(
  policy: TrafficPolicy,
  service: Pick<MeshService, 'trafficDistribution'>,
  mesh: LocalityDefaults,
): LocalityPolicy {
  const { zoneAwareLbSetting, localityLbSetting } = policy.loadBalancer ?? {};
  const failsOver = policy.outlierDetection !== undefined;
  if (zoneAwareLbSetting) return { kind: 'zone-aware', setting: zoneAwareLbSetting };
  if (localityLbSetting) return byLocality(localityLbSetting, failsOver);
  const labels = service.trafficDistribution && preferred[service.trafficDistribution];
  if (labels) return byLocality({ failoverPriority: labels }, true);
  if (mesh.zoneAwareLbSetting) return { kind: 'zone-aware', setting: mesh.zoneAwareLbSetting };
  return byLocality(mesh.localityLbSetting ?? {}, failsOver);
}

function byLocality(setting: LocalityLoadBalancerSetting, failsOver: boolean): LocalityPolicy {
  return setting.enabled === false ? none : { kind: 'locality', setting, failsOver };
}
