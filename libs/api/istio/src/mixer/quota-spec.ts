import type { ConfigObject } from '@seine/k8s';
import { described, integer, list, mapOf, message, type Of, text, textMap } from '../schema.js';
import { StringMatchSchema } from '../networking/string-match.js';

/** `config.istio.io/v1alpha2` QuotaSpec and QuotaSpecBinding. */

export const IstioServiceSchema = message('A service.', {
  name: text('Short name of a Service; `*` is every service.'),
  namespace: text('Its namespace; that of the binding when absent.'),
  domain: text('What follows namespace and name in its host; the mesh’s when absent.'),
  service: text('Its host, instead of the other fields; `*` is every service.'),
  labels: textMap('Never read by Istio.'),
});

export const QuotaSpecSchema = message('Quotas that requests are charged for.', {
  rules: list(
    message('Quotas of some requests.', {
      match: list(
        message('Attributes; all must match.', {
          clause: mapOf(
            described(StringMatchSchema, 'How the attribute’s value is compared.'),
            'Conditions by attribute.',
          ),
        }),
        'Which requests, any of these; all when absent.',
      ),
      quotas: list(
        message('A quota.', {
          quota: text('Name of an instance of the template `quota`.'),
          charge: integer('What one request costs.', { fallback: '1' }),
        }),
        'What is charged.',
      ),
    }),
    'Rules; each that matches charges.',
  ),
});

export const QuotaSpecBindingSchema = message('To which services requests are charged as QuotaSpecs say.', {
  services: list(IstioServiceSchema, 'Services that are called.'),
  quotaSpecs: list(
    message('A QuotaSpec.', {
      name: text('Its name.'),
      namespace: text('Its namespace; that of the binding when absent.'),
    }),
    'The QuotaSpecs.',
  ),
});

export type IstioService = Of<typeof IstioServiceSchema>;
export type QuotaSpecSpec = Of<typeof QuotaSpecSchema>;
export type QuotaSpec = ConfigObject<QuotaSpecSpec> & { readonly kind: 'QuotaSpec' };
export type QuotaSpecBindingSpec = Of<typeof QuotaSpecBindingSchema>;
export type QuotaSpecBinding = ConfigObject<QuotaSpecBindingSpec> & { readonly kind: 'QuotaSpecBinding' };
