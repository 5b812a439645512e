import { annotationsAlpha } from '../annotations-alpha.js';
import { annotationsK8s } from '../annotations-k8s.js';
import { applicationUid } from '../application-uid.js';
import { authAuthorizationPolicies } from '../auth-authorization-policies.js';
import { authnBlockedCidrs } from '../authn-blocked-cidrs.js';
import { conditionsCondition } from '../conditions-condition.js';
import { deploymentMultiService } from '../deployment-multi-service.js';
import { deprecation } from '../deprecation.js';
import { destinationruleCaCertificate } from '../destinationrule-ca-certificate.js';
import { destinationruleSubsetSelectPod } from '../destinationrule-subset-select-pod.js';
import { envoyfilterEnvoyPatch } from '../envoyfilter-envoy-patch.js';
import { externalcontrolplane } from '../externalcontrolplane.js';
import { gatewayCertificate } from '../gateway-certificate.js';
import { gatewayConflictingGateway } from '../gateway-conflicting-gateway.js';
import { gatewayIngressGatewayPort } from '../gateway-ingress-gateway-port.js';
import { gatewaySecret } from '../gateway-secret.js';
import { injectionImageAuto } from '../injection-image-auto.js';
import { injectionImage } from '../injection-image.js';
import { injectionAnalyzer } from '../injection.js';
import { k8sgatewayCrdVersion } from '../k8sgateway-crd-version.js';
import { k8sgatewaySelector } from '../k8sgateway-selector.js';
import { meshnetworks } from '../meshnetworks.js';
import { schemaVirtualService } from '../schema-virtual-service.js';
import { servicePortName } from '../service-port-name.js';
import { serviceentryConflictingServiceEntryProtocol } from '../serviceentry-conflicting-service-entry-protocol.js';
import { serviceentry } from '../serviceentry.js';
import { servicesMultiCluster } from '../services-multi-cluster.js';
import { sidecarSelector } from '../sidecar-selector.js';
import { telemetryDefaultSelector } from '../telemetry-default-selector.js';
import { telemetryLightstep } from '../telemetry-lightstep.js';
import { telemetryProvider } from '../telemetry-provider.js';
import { telemetrySelector } from '../telemetry-selector.js';
import { virtualserviceConflictingMeshGatewayHosts } from '../virtualservice-conflicting-mesh-gateway-hosts.js';
import { virtualserviceDelegate } from '../virtualservice-delegate.js';
import { virtualserviceDestinationHost } from '../virtualservice-destination-host.js';
import { virtualserviceDestinationRule } from '../virtualservice-destination-rule.js';
import { virtualserviceGateway } from '../virtualservice-gateway.js';
import { virtualserviceJwtClaimRoute } from '../virtualservice-jwt-claim-route.js';
import { webhook } from '../webhook.js';
import type { Analyzer } from './finding.js';

/** All analyzers, in order of their names. */
export const analyzers: readonly Analyzer[] = [
  annotationsAlpha,
  annotationsK8s,
  applicationUid,
  authAuthorizationPolicies,
  authnBlockedCidrs,
  conditionsCondition,
  deploymentMultiService,
  deprecation,
  destinationruleCaCertificate,
  destinationruleSubsetSelectPod,
  envoyfilterEnvoyPatch,
  externalcontrolplane,
  gatewayCertificate,
  gatewayConflictingGateway,
  gatewayIngressGatewayPort,
  gatewaySecret,
  injectionAnalyzer,
  injectionImage,
  injectionImageAuto,
  k8sgatewayCrdVersion,
  k8sgatewaySelector,
  meshnetworks,
  schemaVirtualService,
  serviceentry,
  serviceentryConflictingServiceEntryProtocol,
  servicePortName,
  servicesMultiCluster,
  sidecarSelector,
  telemetryDefaultSelector,
  telemetryLightstep,
  telemetryProvider,
  telemetrySelector,
  virtualserviceConflictingMeshGatewayHosts,
  virtualserviceDelegate,
  virtualserviceDestinationHost,
  virtualserviceDestinationRule,
  virtualserviceGateway,
  virtualserviceJwtClaimRoute,
  webhook,
];
