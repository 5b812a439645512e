import type { Value, Vocabulary } from '@seine/mixer';
import { always, never } from './formula.js';
import { claimTerm, headerTerm, lookedUp, requestTerm, requestTruth } from './request-attributes.js';
import { firstOf, type Opaque, type Term } from './term.js';
import type { Truth } from './truth.js';

/** What the proxy of a workload knows of the requests that come in at a port. */
export interface ProxyView {
  readonly vocabulary: Vocabulary;
  readonly protocol: 'http' | 'tcp';
  /** Attributes that are the same for all requests; undefined = they are never there. */
  readonly constants: ReadonlyMap<string, Value | undefined>;
  /** Attributes that mixer makes of others. */
  readonly derived: ReadonlySet<string>;
  /** Certificates of callers may be others than those of the mesh (`ingress[].tls` of a Sidecar). */
  readonly foreignCertificates: boolean;
}

/** Whether an attribute is the same for all requests, and what it is then. */
export function constantOf(view: ProxyView, name: string): { readonly value: Value | undefined } | undefined {
  const known = view.constants.has(name) || (view.protocol === 'tcp' && name.startsWith('request.'));
  const value = view.constants.get(name);
  // What a request has not by itself, mixer may make of something else.
  return known && (value !== undefined || !view.derived.has(name)) ? { value } : undefined;
}

function opaque(why: string): Term {
  return [{ when: always, value: { kind: 'opaque', why } satisfies Opaque }];
}

const ofIdentity: ReadonlySet<string> = new Set([
  'source.principal',
  'source.user',
  'source.namespace',
  'source.serviceAccount',
  'connection.mtls',
]);

function whyUnknown(name: string, id: string): Term {
  if (name.startsWith('source.')) return [{ when: always, value: lookedUp(id) }];
  return opaque(`${id} is nothing that Envoy's RBAC can look at`);
}

/**
 * An attribute that differs from request to request, or an entry of one that is a map.
 * @param key of the entry
 */
export function attributeTerm(view: ProxyView, name: string, key?: string): Term {
  const id = key === undefined ? name : `${name}[${JSON.stringify(key)}]`;
  if (view.foreignCertificates && ofIdentity.has(name))
    return opaque(`${id} may be of a certificate that is not the mesh's`);
  if (name === 'context.protocol' && key === undefined) return httpProtocol;
  const term =
    key === undefined
      ? requestTerm(name)
      : name === 'request.headers'
        ? headerTerm(key, id)
        : name === 'request.auth.claims'
          ? claimTerm(key, id)
          : undefined;
  if (!term) return whyUnknown(name, id);
  return view.derived.has(name) ? firstOf(term, opaque(`${id} is made by an instance of mixer`)) : term;
}

/** Whether requests are `http` or `grpc` mixer finds out; `tcp` they are not. */
const httpProtocol: Term = [
  {
    when: always,
    value: {
      kind: 'text',
      id: 'context.protocol',
      is: (other) => (other === 'tcp' ? never : undefined),
    },
  },
];

/** An attribute that is BOOL. */
export function attributeTruth(view: ProxyView, name: string): Truth | undefined {
  if (view.foreignCertificates && ofIdentity.has(name)) return undefined;
  return requestTruth(name);
}
