import { boundPort, choice, durationOrZero, integer, list, message, type Of, text } from '../schema.js';
import {
  allowCredentials,
  backendFields,
  BackendObjectReferenceSchema,
  hostname,
  hostnames,
  LocalObjectReferenceSchema,
  routeFields,
  SessionPersistenceSchema,
} from './common.js';

const headerName = text('Name of the header, in any case.', { minLength: 1, maxLength: 256 });

const HeaderSchema = message('A header.', { name: headerName, value: text('Value.') }, { required: ['name', 'value'] });

export const HeaderFilterSchema = message('Changes headers.', {
  set: list(HeaderSchema, 'Headers that get these values only.', { maxItems: 16 }),
  add: list(HeaderSchema, 'Headers that get these values too.', { maxItems: 16 }),
  remove: list(headerName, 'Headers that are taken away.', { maxItems: 16 }),
});

const PathModifierSchema = message(
  'Changes the path.',
  {
    type: choice(['ReplaceFullPath', 'ReplacePrefixMatch'], 'What is replaced.'),
    replaceFullPath: text('The new path.'),
    replacePrefixMatch: text('What comes in the place of the prefix that matched.'),
  },
  { required: ['type'] },
);

export const MirrorFilterSchema = message(
  'Sends copies of requests.',
  {
    backendRef: BackendObjectReferenceSchema,
    percent: integer('How many of a hundred requests.', { minimum: 0, maximum: 100, fallback: '100' }),
    fraction: message(
      'Which part of the requests.',
      {
        numerator: integer('So many …', { minimum: 0 }),
        denominator: integer('… of so many.', { minimum: 1, fallback: '100' }),
      },
      { required: ['numerator'] },
    ),
  },
  { required: ['backendRef'] },
);

const RedirectFilterSchema = message('Answers with a redirect.', {
  scheme: choice(['http', 'https'], 'Scheme; default that of the request.'),
  hostname: hostname('Host; default that of the request.'),
  path: PathModifierSchema,
  port: boundPort('Port; default that of the scheme, if one is given, else that of the request.'),
  statusCode: integer('301, 302, 303, 307 or 308.', { fallback: '302' }),
});

const RewriteFilterSchema = message('Changes host and path of the request.', {
  hostname: hostname('New Host.'),
  path: PathModifierSchema,
});

const CorsFilterSchema = message('Lets scripts of other sites call.', {
  allowOrigins: list(text('Origin; `*` in it stands for anything.'), 'Sites that may call.', { maxItems: 64 }),
  allowCredentials,
  allowMethods: list(text('Method.'), 'Methods that may be used.'),
  allowHeaders: list(text('Header.'), 'Headers that may be sent.', { maxItems: 64 }),
  exposeHeaders: list(text('Header.'), 'Headers of the response that scripts may read.', { maxItems: 64 }),
  maxAge: integer('Seconds for which an answer holds.', { minimum: 1, fallback: '5' }),
});

/** Every filter of an HTTPRoute; `type` names the one field that is set. */
export const HTTPRouteFilterSchema = message(
  'Something done to requests.',
  {
    type: text('Which filter; the field of that name holds its settings.'),
    requestHeaderModifier: HeaderFilterSchema,
    responseHeaderModifier: HeaderFilterSchema,
    requestMirror: MirrorFilterSchema,
    requestRedirect: RedirectFilterSchema,
    urlRewrite: RewriteFilterSchema,
    cors: CorsFilterSchema,
    externalAuth: message('Asks another service; not supported, as in Istio.', {
      protocol: text('HTTP or GRPC.'),
      backendRef: BackendObjectReferenceSchema,
    }),
    extensionRef: LocalObjectReferenceSchema,
  },
  { required: ['type'] },
);

const valueMatch = (what: string) =>
  message(
    `A condition on a ${what}.`,
    {
      type: choice(['Exact', 'RegularExpression'], 'How the value is compared.', { fallback: 'Exact' }),
      name: text(`Name of the ${what}.`, { minLength: 1 }),
      value: text('Value.'),
    },
    { required: ['name', 'value'] },
  );

export const HeaderMatchSchema = valueMatch('header');

export const HTTPRouteMatchSchema = message('Conditions that must all hold.', {
  path: message('Path.', {
    type: choice(['Exact', 'PathPrefix', 'RegularExpression'], 'How it is compared.', { fallback: 'PathPrefix' }),
    value: text('The path.', { maxLength: 1024, fallback: '/' }),
  }),
  headers: list(HeaderMatchSchema, 'Headers; of several conditions on one header the first counts.', { maxItems: 16 }),
  queryParams: list(valueMatch('query parameter'), 'Query parameters.', { maxItems: 16 }),
  method: choice(
    ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'],
    'Method of the request.',
  ),
});

const HTTPBackendRefSchema = message(
  'Who gets requests.',
  { ...backendFields, filters: list(HTTPRouteFilterSchema, 'What is done to requests that go there.') },
  { required: ['name'] },
);

const RetrySchema = message('When calls that failed are made again.', {
  codes: list(integer('Status.', { minimum: 400, maximum: 599 }), 'Answers after which it is tried again.'),
  attempts: integer('How often.', { minimum: 0, fallback: '2' }),
  backoff: durationOrZero('Shortest pause between two tries.'),
});

export const HTTPRouteRuleSchema = message('Requests that match, and what becomes of them.', {
  name: text('Name, unique in the route.', { minLength: 1, maxLength: 253 }),
  matches: list(HTTPRouteMatchSchema, 'Requests it is for: any of these; default all.', { maxItems: 64 }),
  filters: list(HTTPRouteFilterSchema, 'What is done to them.', { maxItems: 16 }),
  backendRefs: list(HTTPBackendRefSchema, 'Who gets them; none: they are answered 500.', { maxItems: 16 }),
  timeouts: message('How long a call may take.', {
    request: durationOrZero('The whole call; 0s: for ever.'),
    backendRequest: durationOrZero('Each try.'),
  }),
  retry: RetrySchema,
  sessionPersistence: SessionPersistenceSchema,
});

export const HTTPRouteSchema = message('Routes HTTP requests.', {
  ...routeFields,
  hostnames,
  rules: list(HTTPRouteRuleSchema, 'The rules.', { maxItems: 16 }),
});

export type HTTPRouteSpec = Of<typeof HTTPRouteSchema>;
export type HTTPRouteRule = Of<typeof HTTPRouteRuleSchema>;
export type HTTPRouteMatch = Of<typeof HTTPRouteMatchSchema>;
export type HTTPRouteFilter = Of<typeof HTTPRouteFilterSchema>;
export type HTTPBackendRef = Of<typeof HTTPBackendRefSchema>;
export type HeaderFilter = Of<typeof HeaderFilterSchema>;
export type MirrorFilter = Of<typeof MirrorFilterSchema>;
export type RedirectFilter = Of<typeof RedirectFilterSchema>;
export type RewriteFilter = Of<typeof RewriteFilterSchema>;
export type CorsFilter = Of<typeof CorsFilterSchema>;
