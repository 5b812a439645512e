import type { ConfigObject } from '@seine/k8s';
import { boundPort, choice, flag, list, message, type Of, text, textMap, texts } from '../schema.js';

/** `authentication.istio.io/v1alpha1`, which Istio 1.0 to 1.5 read: Policy and MeshPolicy. */

export const AuthenticationPathSchema = message(
  'How a path is compared; case matters.',
  {
    exact: text('The whole path.'),
    prefix: text('How it begins.'),
    suffix: text('How it ends.'),
    regex: text('An expression that the whole path matches.'),
  },
  { oneofs: [['exact', 'prefix', 'suffix', 'regex']] },
);

export const TriggerRuleSchema = message('For which requests a token is looked at: those that satisfy both lists.', {
  excludedPaths: list(AuthenticationPathSchema, 'Paths for which it is not.'),
  includedPaths: list(AuthenticationPathSchema, 'Paths for which it is; all when empty.'),
});

export const AuthenticationJwtSchema = message('Tokens of one issuer.', {
  issuer: text('Issuer that the token names (`iss`).'),
  audiences: texts('Audiences of which the token must name one (`aud`); any when empty.'),
  jwksUri: text('URL of the public keys; found through OpenID discovery at the issuer when absent.'),
  jwks: text('The public keys themselves, a JSON Web Key Set.'),
  jwtHeaders: texts('Headers to look for the token in; default `Authorization: Bearer`.'),
  jwtParams: texts('Query parameters to look for the token in; default `access_token`.'),
  triggerRules: list(TriggerRuleSchema, 'For which requests the token is looked at, any of them; all when empty.'),
});

export const AuthenticationMutualTlsSchema = message('Mutual TLS.', {
  allowTls: flag('As mode PERMISSIVE.', { fallback: 'false' }),
  mode: choice(['STRICT', 'PERMISSIVE'], 'Whether plain text is refused.', { fallback: 'STRICT' }),
});

export const PeerMethodSchema = message(
  'One way in which a calling workload proves who it is.',
  { mtls: AuthenticationMutualTlsSchema, jwt: AuthenticationJwtSchema },
  { oneofs: [['mtls', 'jwt']] },
);

export const OriginMethodSchema = message('One way in which an end user proves who they are.', {
  jwt: AuthenticationJwtSchema,
});

export const AuthenticationPortSchema = message(
  'A port of a Service.',
  { number: boundPort('Its number.'), name: text('Its name.') },
  { oneofs: [['number', 'name']] },
);

export const AuthenticationTargetSchema = message(
  'A service that the policy is for.',
  {
    name: text('Short name of a Service of the namespace of the policy.', { minLength: 1 }),
    labels: textMap('Labels; never read by Istio.'),
    ports: list(AuthenticationPortSchema, 'Ports of the Service; all when empty.'),
  },
  { required: ['name'] },
);

export const AuthenticationPolicySchema = message(
  'How callers and end users prove who they are, as Istio 1.0 to 1.5 had it. Acts as the PeerAuthentication, RequestAuthentication and AuthorizationPolicy that mean the same.',
  {
    targets: list(AuthenticationTargetSchema, 'Services it is for; the whole namespace (or mesh) when empty.'),
    peers: list(PeerMethodSchema, 'How a calling workload proves who it is; it need not when empty.'),
    peerIsOptional: flag('Whether callers that prove nothing pass too.', { fallback: 'false' }),
    origins: list(OriginMethodSchema, 'How an end user proves who they are, any of them; they need not when empty.'),
    originIsOptional: flag('Whether requests without a good token pass too.', { fallback: 'false' }),
    principalBinding: choice(['USE_PEER', 'USE_ORIGIN'], 'Whose identity `request.auth.principal` is.', {
      fallback: 'USE_PEER',
    }),
  },
);

export type AuthenticationPath = Of<typeof AuthenticationPathSchema>;
export type TriggerRule = Of<typeof TriggerRuleSchema>;
export type AuthenticationJwt = Of<typeof AuthenticationJwtSchema>;
export type AuthenticationPort = Of<typeof AuthenticationPortSchema>;
export type AuthenticationTarget = Of<typeof AuthenticationTargetSchema>;
export type AuthenticationPolicySpec = Of<typeof AuthenticationPolicySchema>;
export type AuthenticationPolicy = ConfigObject<AuthenticationPolicySpec> & {
  readonly kind: 'Policy' | 'MeshPolicy';
  readonly spec: AuthenticationPolicySpec;
};
