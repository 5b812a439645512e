import type { MessageType } from './message-type.js';

/** What is said of Kubernetes' kinds: namespaces, pods, services and their annotations. */
export const workloadMessages = [
  {
    code: 'IST0102',
    name: 'NamespaceNotInjected',
    level: 'info',
    description: 'The pods of a namespace get no sidecar.',
    template:
      'The namespace is not enabled for Istio injection. Label it istio-injection=enabled (kubectl label namespace {namespace} istio-injection=enabled), or istio-injection=disabled to say that it is meant so.',
  },
  {
    code: 'IST0103',
    name: 'PodMissingProxy',
    level: 'warning',
    description: 'A pod in an injected namespace runs without the proxy.',
    template: 'The pod {podName} is missing the Istio proxy; restarting its workload usually brings it.',
  },
  {
    code: 'IST0107',
    name: 'MisplacedAnnotation',
    level: 'warning',
    description: 'An annotation of Istio stands on a kind of object that it is not for.',
    template: 'Misplaced annotation: {annotation} can only be applied to {kind}.',
  },
  {
    code: 'IST0108',
    name: 'UnknownAnnotation',
    level: 'warning',
    description: 'An annotation looks like one of Istio, but there is none of that name.',
    template: 'Unknown annotation: {annotation}',
  },
  {
    code: 'IST0116',
    name: 'DeploymentAssociatedToMultipleServices',
    level: 'warning',
    description: 'Several Services of one Deployment use the same port with different protocols.',
    template:
      'This deployment {deployment} is associated with multiple services using port {port} but different protocols: [{services}]',
  },
  {
    code: 'IST0118',
    name: 'PortNameIsNotUnderNamingConvention',
    level: 'info',
    description: 'Neither its name nor appProtocol says what a port speaks, so the proxy has to find out.',
    template:
      'Port name "{portName}" (port: {port}, targetPort: {targetPort}) does not follow the naming convention of Istio port; name it <protocol>[-<suffix>] or set appProtocol.',
  },
  {
    code: 'IST0125',
    name: 'InvalidAnnotation',
    level: 'warning',
    description: 'The value of an annotation of Istio cannot be read.',
    template: 'Invalid annotation {annotation}: {problem}.',
  },
  {
    code: 'IST0123',
    name: 'NamespaceMultipleInjectionLabels',
    level: 'warning',
    description: 'A namespace has several labels that each say how its pods join the mesh.',
    template:
      'The namespace has more than one type of injection labels [{labels}]; only one can be in force: keep one.',
  },
  {
    code: 'IST0135',
    name: 'DeprecatedAnnotation',
    level: 'info',
    description: 'An annotation of Istio is deprecated.',
    template: 'Annotation "{annotation}" has been deprecated{extra} and may not work in future Istio versions.',
  },
  {
    code: 'IST0136',
    name: 'AlphaAnnotation',
    level: 'info',
    description: 'An annotation of Istio belongs to a feature that is still alpha.',
    template: 'Annotation "{annotation}" is part of an alpha-phase feature and may be incompletely supported.',
  },
  {
    code: 'IST0137',
    name: 'DeploymentConflictingPorts',
    level: 'warning',
    description: 'Several Services of one Deployment map different ports to the same target port.',
    template:
      'This deployment {deployment} is associated with multiple services [{services}] using targetPort "{targetPort}" but different ports: [{ports}].',
  },
  {
    code: 'IST0143',
    name: 'LocalhostListener',
    level: 'error',
    description: 'A port of a Service is bound to localhost, where other pods cannot reach it.',
    template: 'Port {port} is exposed in a Service but listens on localhost. It will not be exposed to other pods.',
  },
  {
    code: 'IST0144',
    name: 'InvalidApplicationUID',
    level: 'warning',
    description: 'An application runs as the user whose traffic is taken for that of the proxy.',
    template:
      'User ID (UID) 1337 is reserved for the sidecar proxy; traffic of an application under it bypasses the mesh.',
  },
  {
    code: 'IST0146',
    name: 'ImageAutoWithoutInjectionWarning',
    level: 'warning',
    description: 'A Deployment leaves the proxy image to injection, but is not injected.',
    template:
      '{resourceType} {resourceName} contains `image: auto` but does not match any Istio injection webhook selectors.',
  },
  {
    code: 'IST0147',
    name: 'ImageAutoWithoutInjectionError',
    level: 'error',
    description: 'A pod runs with the proxy image left to injection, which did not happen.',
    template:
      '{resourceType} {resourceName} contains `image: auto` but does not match any Istio injection webhook selectors.',
  },
  {
    code: 'IST0148',
    name: 'NamespaceInjectionEnabledByDefault',
    level: 'info',
    description: 'A namespace without injection label is injected, as the installation injects by default.',
    template:
      'The namespace is enabled for Istio injection, as Istio is installed with enableNamespacesByDefault as true.',
  },
  {
    code: 'IST0150',
    name: 'ExternalNameServiceTypeInvalidPortName',
    level: 'warning',
    description: 'An ExternalName Service has a port that is, or may be taken for, plain TCP.',
    template:
      'Port name for ExternalName service is invalid. A proxy can forward TCP and unnamed protocols for it only by address, which it has none of; name the port after HTTP, TLS or another protocol that carries a host.',
  },
  {
    code: 'IST0158',
    name: 'PodsIstioProxyImageMismatchInNamespace',
    level: 'warning',
    description: 'Pods run another proxy image than injection would give them now.',
    template:
      'The Istio proxy images of the pods running in the namespace do not match the image defined in the injection configuration (pod names: {podNames}); after an upgrade, restarting their workloads helps.',
  },
  {
    code: 'IST0170',
    name: 'MultiClusterInconsistentService',
    level: 'warning',
    description: 'A Service is defined differently in several clusters.',
    template:
      'The service {serviceName} in namespace "{namespace}" is inconsistent across clusters "{clusters}": {error}.',
  },
  {
    code: 'IST0175',
    name: 'JwksUriFetchUnrestricted',
    level: 'warning',
    description: 'The control plane fetches keys from whatever address a RequestAuthentication names.',
    template:
      'BLOCKED_CIDRS_IN_JWKS_URIS is not configured but {count} RequestAuthentication resource(s) exist ({names}); set it to keep fetches of keys away from internal networks.',
  },
] as const satisfies readonly MessageType[];
