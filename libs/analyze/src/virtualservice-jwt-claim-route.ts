import { type ConfigObject, type Fields, fieldsOf, itemsOf, textsOf } from '@seine/k8s';
import type { Catalogue, Workload } from './frame/catalogue.js';
import type { Analyzer } from './frame/finding.js';
import { kinds } from './frame/kinds.js';
import { gatewayWorkloads } from './lookup/gateway-pods.js';
import { fullName, readReference } from './lookup/names.js';
import { hasLabels, policySelector } from './lookup/selectors.js';

/** `@request.auth.claims.sub`, `@request.auth.claims[a][b]`: a header name that stands for a claim of the token. */
const claim = /^@request\.auth\.claims(\..+|\[.+\])$/i;

interface NamedClaim {
  readonly key: string;
  readonly path: string;
}

function firstClaim(object: ConfigObject): NamedClaim | undefined {
  const ofMatch = (match: Fields, at: string): readonly NamedClaim[] =>
    ['headers', 'withoutHeaders'].flatMap((field) =>
      Object.keys(fieldsOf(match[field])).map((key) => ({ key, path: `${at}.${field}[${JSON.stringify(key)}]` })),
    );
  return itemsOf(fieldsOf(object.spec)['http'])
    .flatMap((rule, i) => itemsOf(rule['match']).flatMap((match, j) => ofMatch(match, `spec.http[${i}].match[${j}]`)))
    .find(({ key }) => claim.test(key));
}

function isAuthenticated(catalogue: Catalogue, { namespace, labels }: Workload): boolean {
  return catalogue.all(kinds.requestAuthentication).some((policy) => {
    const applies = [catalogue.settings.rootNamespace, namespace].includes(policy.metadata.namespace);
    return applies && hasLabels(policySelector(policy) ?? {}, labels);
  });
}

export const virtualserviceJwtClaimRoute: Analyzer = {
  name: 'virtualservice.JWTClaimRouteAnalyzer',
  description: 'VirtualServices that route by claims of a token which nobody checks.',
  scope: 'mesh',
  analyze(catalogue, report) {
    for (const object of catalogue.all(kinds.virtualService)) {
      const found = firstClaim(object);
      if (!found) continue;
      for (const written of textsOf(fieldsOf(object.spec)['gateways'])) {
        const { namespace, name } = readReference(written, object.metadata.namespace);
        const gateway = catalogue.find(kinds.gateway, namespace, name);
        const pod = gateway && gatewayWorkloads(catalogue, gateway).find((one) => !isAuthenticated(catalogue, one));
        if (!pod) continue;
        const about = { key: found.key, gateway: fullName(gateway), pod: pod.name };
        report('JwtClaimBasedRoutingWithoutRequestAuthN', object, about, found.path);
      }
    }
  },
};
