import type { ConfigObject } from '@seine/k8s';
import {
  bytes,
  decimal,
  described,
  duration,
  flag,
  integer,
  list,
  mapOf,
  message,
  type Of,
  text,
  textMap,
} from '../schema.js';
import { IstioServiceSchema } from './quota-spec.js';

/** `config.istio.io/v1alpha2` HTTPAPISpec and HTTPAPISpecBinding. */

const AttributesSchema = message('Attributes and their values.', {
  attributes: mapOf(
    message(
      'A value.',
      {
        stringValue: text('STRING, IP_ADDRESS, …'),
        int64Value: integer('INT64.'),
        doubleValue: decimal('DOUBLE.'),
        boolValue: flag('BOOL.'),
        bytesValue: bytes('Never used by HTTP.'),
        timestampValue: text('TIMESTAMP, RFC 3339.'),
        durationValue: duration('DURATION.'),
        stringMapValue: message('STRING_MAP.', { entries: textMap('Its entries.') }),
      },
      {
        oneofs: [
          [
            'stringValue',
            'int64Value',
            'doubleValue',
            'boolValue',
            'bytesValue',
            'timestampValue',
            'durationValue',
            'stringMapValue',
          ],
        ],
      },
    ),
    'Values by name.',
  ),
});

export const HttpApiSpecSchema = message(
  'Operations of an HTTP API, for the attributes `api.…` and `request.api_key`.',
  {
    attributes: described(
      AttributesSchema,
      'Attributes of all of the API’s requests, as `api.service` and `api.version`.',
    ),
    patterns: list(
      message(
        'An operation.',
        {
          attributes: described(AttributesSchema, 'Attributes of its requests, as `api.operation`.'),
          httpMethod: text('The method; any when absent.'),
          uriTemplate: text('The path as RFC 6570 has it: `/pets/{id}`.'),
          regex: text('The path, as an RE2 expression that matches all of it.'),
        },
        { oneofs: [['uriTemplate', 'regex']] },
      ),
      'Operations; the first that a request fits.',
    ),
    apiKeys: list(
      message(
        'Where the key of the caller stands.',
        { query: text('Parameter of the query.'), header: text('Header.'), cookie: text('Cookie.') },
        { oneofs: [['query', 'header', 'cookie']] },
      ),
      'Where the caller’s key is looked for; the first that is there.',
    ),
  },
);

export const HttpApiSpecBindingSchema = message('Which services have which API.', {
  services: list(IstioServiceSchema, 'Services that are called.'),
  apiSpecs: list(
    message('An HTTPAPISpec.', {
      name: text('Its name.'),
      namespace: text('Its namespace; that of the binding when absent.'),
    }),
    'Their APIs.',
  ),
});

export type ApiAttributes = Of<typeof AttributesSchema>;
export type HttpApiSpecSpec = Of<typeof HttpApiSpecSchema>;
export type HttpApiSpec = ConfigObject<HttpApiSpecSpec> & { readonly kind: 'HTTPAPISpec' };
export type HttpApiSpecBindingSpec = Of<typeof HttpApiSpecBindingSchema>;
export type HttpApiSpecBinding = ConfigObject<HttpApiSpecBindingSpec> & { readonly kind: 'HTTPAPISpecBinding' };
