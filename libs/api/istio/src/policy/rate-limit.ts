import type { ConfigObject } from '@seine/k8s';
import { targetRefs } from '../networking/policy-target.js';
import { LabelSelectorSchema } from '../networking/selector.js';
import { StringMatchSchema } from '../networking/string-match.js';
import {
  atMostOne,
  boundPort,
  choice,
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
  texts,
  uint32,
} from '../schema.js';

const requests = uint32('How many requests pass in each period.', { minimum: 1 });
const per = duration('The period: `1s`, `5s`, `1m`.');

const DescriptorEntrySchema = message(
  'What requests are told apart by.',
  {
    key: text('Name of the value, as the rate limit service gets it.', {
      minLength: 1,
      maxLength: 253,
      fallback: 'what the value is made of: the header’s, parameter’s or claim’s name, `path`, `method`, …',
    }),
    fromHeader: text('A request header. Requests without it are not limited.', { minLength: 1, maxLength: 253 }),
    fromQueryParameter: text('A parameter of the query. Requests without it are not limited.', {
      minLength: 1,
      maxLength: 253,
    }),
    fromPath: flag('The path with its query.'),
    fromMethod: flag('The method.'),
    fromJwtClaim: text(
      'A claim of the token that a RequestAuthentication has checked; `a.b` is `b` inside `a`. Requests without it are not limited.',
      { minLength: 1, maxLength: 253 },
    ),
    remoteAddress: flag('The client’s address; behind proxies that are trusted, the one they say.'),
    sourceIdentity: flag(
      'The client’s identity (SPIFFE) from its certificate. Requests without mutual TLS are one client.',
    ),
    genericKey: text('This value, the same for all requests.', { minLength: 1, maxLength: 253 }),
  },
  {
    oneofs: [
      [
        'fromHeader',
        'fromQueryParameter',
        'fromPath',
        'fromMethod',
        'fromJwtClaim',
        'remoteAddress',
        'sourceIdentity',
        'genericKey',
      ],
    ],
  },
);

const descriptors = (description: string) => list(DescriptorEntrySchema, description, { maxItems: 16 });

const RequestMatchSchema = message('Requests that are counted; all conditions hold.', {
  path: described(StringMatchSchema, 'The path without its query.'),
  methods: texts('The method, one of these.', { maxItems: 16, of: { minLength: 1, maxLength: 32 } }),
  headers: mapOf(StringMatchSchema, 'Headers by name; an empty condition asks only that the header is there.'),
});

const statusCode = integer('Status of the answer to a request that is over the limit.', {
  minimum: 400,
  maximum: 599,
  fallback: '429',
});
const headers = textMap('Headers of that answer.', { maxProperties: 32 });
const match = described(RequestMatchSchema, 'Requests that are counted; all when absent.');

const LocalLimitSchema = message(
  'A limit that each proxy holds by itself.',
  {
    requests,
    per,
    burst: uint32('How many requests may come at once after a quiet time.', {
      minimum: 1,
      fallback: 'as `requests`',
    }),
    match,
    descriptors: descriptors('Each combination of these values has a limit of its own; one for all when absent.'),
    maxKeys: integer('How many combinations are remembered; the one unused for longest is forgotten first.', {
      minimum: 1,
      maximum: 1_000_000,
      fallback: '10000',
    }),
    statusCode,
    headers,
    perConnection: flag('Each connection has a limit of its own.'),
    mode: choice(['ENFORCE', 'COUNT_ONLY'], 'Whether requests over the limit are refused, or only counted.', {
      fallback: 'ENFORCE',
    }),
  },
  {
    required: ['requests', 'per'],
    rules: [
      {
        rule: '!(has(self.perConnection) && self.perConnection && has(self.descriptors) && size(self.descriptors) > 0)',
        message: 'perConnection and descriptors cannot be used together',
      },
    ],
  },
);

const GlobalLimitSchema = message(
  'A limit over all proxies, held by a rate limit service.',
  {
    requests,
    per,
    domain: text('Domain in which the service looks for its own limits.', {
      minLength: 1,
      maxLength: 253,
      fallback:
        '`policy.seine.dev`; a first descriptor entry `rate_limit` then names the limit: `namespace/name/index`',
    }),
    match,
    descriptors: descriptors('Each combination of these values is counted apart; all requests together when absent.'),
    algorithm: choice(
      ['FIXED_WINDOW', 'SLIDING_WINDOW', 'TOKEN_BUCKET'],
      'How the period is cut: one after the other, each beginning with nothing counted; sliding, so that no stretch of that length takes more; or as a bucket that is filled steadily. Seine’s mixer counts so; other services by their own rules.',
      { fallback: 'FIXED_WINDOW' },
    ),
    exact: flag('The service counts each request before it answers, instead of a share in advance.', {
      fallback: 'false',
    }),
    localFallback: flag(
      'Whether each of Seine’s mixers goes on counting by itself, at its part of the limit, while the store that they share is away; else the service then does not answer.',
      { fallback: 'false' },
    ),
    failOpen: flag('Whether requests pass while the service does not answer; else they get 500.', {
      fallback: 'false',
    }),
    timeout: duration('How long the service is waited for.', { fallback: '100ms' }),
    statusCode,
    headers,
    mode: choice(['ENFORCE', 'COUNT_ONLY'], 'Whether requests over the limit are refused, or only counted.', {
      fallback: 'ENFORCE',
    }),
  },
  { required: ['requests', 'per'] },
);

export const RateLimitSchema = message(
  'How many requests workloads and gateways take. An extension of Seine’s: Istio has EnvoyFilters for it.',
  {
    selector: described(
      LabelSelectorSchema,
      'Workloads that it applies to, by labels: their inbound requests; all of the namespace when absent.',
    ),
    targetRefs,
    local: list(LocalLimitSchema, 'Limits that each proxy holds by itself.', { maxItems: 64 }),
    global: list(GlobalLimitSchema, 'Limits over all proxies.', { maxItems: 64 }),
    service: message(
      'The rate limit service: a gRPC service of the mesh that speaks envoy.service.ratelimit.v3.',
      {
        host: text('Its host.', {
          minLength: 1,
          maxLength: 253,
          fallback: '`mixer` in the root namespace',
        }),
        port: boundPort('Its port.'),
      },
      { required: ['host', 'port'] },
    ),
  },
  {
    rules: [
      atMostOne('only one of targetRefs or selector can be set', 'selector', 'targetRefs'),
      {
        rule: '(has(self.local) && size(self.local) > 0) || (has(self.global) && size(self.global) > 0)',
        message: 'at least one limit must be set, in local or in global',
      },
    ],
  },
);
export type RateLimitSpec = Of<typeof RateLimitSchema>;
export type RateLimit = ConfigObject<RateLimitSpec> & { readonly kind: 'RateLimit'; readonly spec: RateLimitSpec };
export type LocalLimit = Of<typeof LocalLimitSchema>;
export type GlobalLimit = Of<typeof GlobalLimitSchema>;
export type LimitDescriptorEntry = Of<typeof DescriptorEntrySchema>;
export type LimitMatch = Of<typeof RequestMatchSchema>;
