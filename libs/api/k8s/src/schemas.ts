import type { JsonSchema } from './json-schema.js';

/**
 * The fields of Kubernetes' own kinds that the mesh reads, and no others: the API server has checked its objects, and
 * for hand-written ones only a wrong type where something is read would do harm.
 */

const text: JsonSchema = { type: 'string' };
const flag: JsonSchema = { type: 'boolean' };
const texts: JsonSchema = { type: 'array', items: text };
const textMap: JsonSchema = { type: 'object', additionalProperties: text };
const portNumber: JsonSchema = { type: 'integer', minimum: 1, maximum: 65535 };
const intOrString: JsonSchema = { type: ['integer', 'string'], 'x-kubernetes-int-or-string': true };

const fields = (properties: Readonly<Record<string, JsonSchema>>, ...required: readonly string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
});
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const spec = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => fields({ spec: fields(properties) });

const metadata = fields({ labels: textMap, annotations: textMap });
const objectReference = fields({ kind: text, name: text, namespace: text });

export const serviceSchema = fields({
  spec: fields({
    type: { type: 'string', enum: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] },
    clusterIP: text,
    clusterIPs: texts,
    externalName: text,
    externalIPs: texts,
    selector: textMap,
    publishNotReadyAddresses: flag,
    trafficDistribution: text,
    internalTrafficPolicy: { type: 'string', enum: ['Cluster', 'Local'] },
    ports: listOf(
      fields(
        {
          name: text,
          port: portNumber,
          protocol: text,
          appProtocol: text,
          targetPort: intOrString,
          nodePort: { type: 'integer', minimum: 0, maximum: 65535 },
        },
        'port',
      ),
    ),
  }),
});

const endpointAddress = fields({ ip: text, hostname: text, nodeName: text, targetRef: objectReference }, 'ip');

export const endpointsSchema = fields({
  subsets: listOf(
    fields({
      addresses: listOf(endpointAddress),
      notReadyAddresses: listOf(endpointAddress),
      ports: listOf(fields({ name: text, port: portNumber, protocol: text, appProtocol: text }, 'port')),
    }),
  ),
});

export const endpointSliceSchema = fields(
  {
    addressType: { type: 'string', enum: ['IPv4', 'IPv6', 'FQDN'] },
    endpoints: listOf(
      fields(
        {
          addresses: texts,
          conditions: fields({ ready: flag, serving: flag, terminating: flag }),
          hostname: text,
          nodeName: text,
          zone: text,
          targetRef: objectReference,
        },
        'addresses',
      ),
    ),
    ports: listOf(fields({ name: text, port: portNumber, protocol: text, appProtocol: text })),
  },
  'addressType',
  'endpoints',
);

const podSpec = fields({
  serviceAccountName: text,
  serviceAccount: text,
  nodeName: text,
  hostNetwork: flag,
  hostname: text,
  subdomain: text,
  containers: listOf(
    fields({
      name: text,
      image: text,
      ports: listOf(fields({ name: text, containerPort: portNumber, protocol: text }, 'containerPort')),
    }),
  ),
});

export const podSchema = fields({ spec: podSpec });

/** Deployment, StatefulSet, DaemonSet, ReplicaSet: what makes pods of a template. */
export const podControllerSchema = fields(
  {
    spec: fields(
      {
        replicas: { type: 'integer', minimum: 0 },
        selector: fields({ matchLabels: textMap }),
        template: fields({ metadata, spec: podSpec }),
      },
      'template',
    ),
  },
  'spec',
);

export const namespaceSchema = fields({});
export const serviceAccountSchema = fields({});
export const nodeSchema = spec({});
export const configMapSchema = fields({ data: textMap, binaryData: textMap });
const secretTexts: JsonSchema = { type: 'object', additionalProperties: { type: 'string', 'x-seine-secret': true } };
export const secretSchema = fields({ type: text, data: secretTexts, stringData: secretTexts });

const ingressBackend = fields({
  service: fields({ name: text, port: fields({ name: text, number: portNumber }) }, 'name'),
  resource: fields({ apiGroup: text, kind: text, name: text }),
});

export const ingressSchema = spec({
  ingressClassName: text,
  defaultBackend: ingressBackend,
  tls: listOf(fields({ hosts: texts, secretName: text })),
  rules: listOf(
    fields({
      host: text,
      http: fields({
        paths: listOf(
          fields({
            path: text,
            pathType: { type: 'string', enum: ['Exact', 'Prefix', 'ImplementationSpecific'] },
            backend: ingressBackend,
          }),
        ),
      }),
    }),
  ),
});

export const ingressClassSchema = spec({ controller: text });
