import type { ConfigObject } from '@seine/k8s';
import { oneTarget, policyTarget } from '../networking/policy-target.js';
import { atMostOne, duration, flag, list, message, type Of, text, texts } from '../schema.js';

const nonEmpty = { of: { minLength: 1 } } as const;

export const JWTHeaderSchema = message(
  'A header that may carry the token.',
  {
    name: text('Name of the header.', { minLength: 1 }),
    prefix: text('What stands before the token, as `Bearer `.'),
  },
  { required: ['name'] },
);

export const ClaimToHeaderSchema = message(
  'A claim that is handed to the workload as a header.',
  {
    header: text('Name of the header.', { minLength: 1, pattern: '^[-_A-Za-z0-9]+$' }),
    claim: text('Name of the claim; nested ones with dots.', { minLength: 1 }),
  },
  { required: ['header', 'claim'] },
);

export const JWTRuleSchema = message(
  'One issuer of tokens, and how its tokens are checked.',
  {
    issuer: text('Issuer that the token names (`iss`).', { minLength: 1 }),
    audiences: texts('Audiences of which the token must name one (`aud`); any when empty.', nonEmpty),
    jwksUri: text('URL of the public keys; found through OpenID discovery at the issuer when absent.', {
      minLength: 1,
      maxLength: 2048,
      rules: [
        { rule: "url(self).getScheme() in ['http', 'https']", message: 'url must have scheme http:// or https://' },
      ],
    }),
    jwks: text('The public keys themselves, a JSON Web Key Set.'),
    fromHeaders: list(JWTHeaderSchema, 'Headers to look for the token in.'),
    fromParams: texts('Query parameters to look for the token in.', nonEmpty),
    fromCookies: texts('Cookies to look for the token in.', nonEmpty),
    outputPayloadToHeader: text('Header that gets the payload of the token, in base64url.'),
    forwardOriginalToken: flag('Whether the token stays on the request.', { fallback: 'false' }),
    outputClaimToHeaders: list(ClaimToHeaderSchema, 'Claims that are handed on as headers.'),
    timeout: duration('Time limit for fetching the keys.', { fallback: '5s' }),
    spaceDelimitedClaims: texts(
      'Claims that are read as lists separated by spaces, besides `scope` and `permission`.',
      {
        maxItems: 64,
        ...nonEmpty,
      },
    ),
  },
  { rules: [atMostOne('only one of jwks or jwksUri can be set', 'jwksUri', 'jwks')] },
);

export const RequestAuthenticationSchema = message(
  'Which JSON Web Tokens of end users are accepted. A request without a token passes, one with a bad token does not.',
  { ...policyTarget, jwtRules: list(JWTRuleSchema, 'Issuers that are accepted.', { maxItems: 4096 }) },
  { rules: [oneTarget] },
);
export type JWTHeader = Of<typeof JWTHeaderSchema>;
export type ClaimToHeader = Of<typeof ClaimToHeaderSchema>;
export type JWTRule = Of<typeof JWTRuleSchema>;
export type RequestAuthenticationSpec = Of<typeof RequestAuthenticationSchema>;
export type RequestAuthentication = ConfigObject<RequestAuthenticationSpec> & {
  readonly kind: 'RequestAuthentication';
  readonly spec: RequestAuthenticationSpec;
};
