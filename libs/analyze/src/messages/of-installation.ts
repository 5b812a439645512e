import type { MessageType } from './message-type.js';

/** What is said of the installation, and of the analysis itself. */
export const installationMessages = [
  {
    code: 'IST0001',
    name: 'InternalError',
    level: 'error',
    description: 'Analysis itself failed; that is a bug.',
    template: 'Internal error: {detail}',
  },
  {
    code: 'IST0106',
    name: 'SchemaValidationError',
    level: 'error',
    description: 'An object breaks the schema of its kind.',
    template: 'Schema validation error: {err}',
  },
  {
    code: 'IST0126',
    name: 'UnknownMeshNetworksServiceRegistry',
    level: 'error',
    description: 'The mesh networks name a service registry that does not exist.',
    template: 'Unknown service registry {serviceregistry} in network {network}; there are {known}.',
  },
  {
    code: 'IST0133',
    name: 'SchemaWarning',
    level: 'warning',
    description: 'An object fits the schema of its kind, but part of it is surely not what was meant.',
    template: 'Schema validation warning: {err}',
  },
  {
    code: 'IST0139',
    name: 'InvalidWebhook',
    level: 'error',
    description: 'An injection webhook overlaps with another, or leads to a Service that does not exist.',
    template: '{error}',
  },
  {
    code: 'IST0141',
    name: 'InsufficientPermissions',
    level: 'error',
    description: 'Whoever installs lacks a permission for it.',
    template: 'Missing required permission to create resource {resource} ({error})',
  },
  {
    code: 'IST0142',
    name: 'UnsupportedKubernetesVersion',
    level: 'error',
    description: 'The Kubernetes version is older than what is supported.',
    template: 'The Kubernetes Version "{version}" is lower than the minimum version: {minimumVersion}',
  },
  {
    code: 'IST0156',
    name: 'UnsupportedGatewayAPIVersion',
    level: 'error',
    description: 'The installed Gateway API is older than what is supported.',
    template: 'The Gateway API CRD version {version} is lower than the minimum version: {minimumVersion}',
  },
  {
    code: 'IST0163',
    name: 'InvalidExternalControlPlaneConfig',
    level: 'warning',
    description: 'A webhook has no usable address of the external control plane.',
    template:
      'The hostname ({hostname}) that was provided for the webhook ({webhook}) to reach the ingress gateway on the external control plane cluster {msg}. Traffic may not flow properly.',
  },
  {
    code: 'IST0164',
    name: 'ExternalControlPlaneAddressIsNotAHostname',
    level: 'info',
    description: 'A webhook reaches the external control plane by an IP address.',
    template:
      'The address ({hostname}) that was provided for the webhook ({webhook}) to reach the ingress gateway on the external control plane cluster is an IP address; in production use a host name.',
  },
  {
    code: 'IST0168',
    name: 'UnknownUpgradeCompatibility',
    level: 'warning',
    description: 'A default changed between releases, and whether that matters here cannot be told.',
    template:
      'The configuration "{field}" changed in release {release}, but compatibility cannot be automatically detected: {info}. Install with compatibilityVersion={compatVersion} to keep the old default.',
  },
  {
    code: 'IST0169',
    name: 'UpdateIncompatibility',
    level: 'warning',
    description: 'A default that this configuration relies on changed between releases.',
    template:
      'The configuration "{field}" changed in release {release}: {info}. Install with compatibilityVersion={compatVersion} to keep the old default.',
  },
  {
    code: 'IST0172',
    name: 'FutureUnsupportedGatewayAPIVersion',
    level: 'warning',
    description: 'The installed Gateway API will soon be too old.',
    template: 'The Gateway API CRD version {version} is lower than the minimum version: {minimumVersion}',
  },
  {
    code: 'IST0176',
    name: 'GatewayAPICRDVersionBelowMinimum',
    level: 'warning',
    description: 'A kind of the Gateway API is installed in a version too old to be acted on.',
    template:
      'Gateway API CRD "{crd}" is at version "{installedVersion}", and at least "{minimumVersion}" is needed: objects of this kind will not be processed. Upgrade the Gateway API CRDs.',
  },
] as const satisfies readonly MessageType[];
