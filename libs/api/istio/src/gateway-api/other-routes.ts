import { choice, list, message, type Of, text } from '../schema.js';
import {
  backendFields,
  BackendRefSchema,
  hostnames,
  LocalObjectReferenceSchema,
  routeFields,
  SessionPersistenceSchema,
} from './common.js';
import { HeaderFilterSchema, HeaderMatchSchema, MirrorFilterSchema } from './http-route.js';

const ruleName = text('Name, unique in the route.', { minLength: 1, maxLength: 253 });

const GRPCRouteFilterSchema = message(
  'Something done to calls.',
  {
    type: text('Which filter; the field of that name holds its settings.'),
    requestHeaderModifier: HeaderFilterSchema,
    responseHeaderModifier: HeaderFilterSchema,
    requestMirror: MirrorFilterSchema,
    extensionRef: LocalObjectReferenceSchema,
  },
  { required: ['type'] },
);

const GRPCRouteMatchSchema = message('Conditions that must all hold.', {
  method: message('Service and method; at least one of them.', {
    type: choice(['Exact', 'RegularExpression'], 'How they are compared.', { fallback: 'Exact' }),
    service: text('Service: `package.Service`.', { maxLength: 1024 }),
    method: text('Method.', { maxLength: 1024 }),
  }),
  headers: list(HeaderMatchSchema, 'Headers.', { maxItems: 16 }),
});

const GRPCBackendRefSchema = message(
  'Who gets calls.',
  { ...backendFields, filters: list(GRPCRouteFilterSchema, 'What is done to calls that go there.') },
  { required: ['name'] },
);

const GRPCRouteRuleSchema = message('Calls that match, and what becomes of them.', {
  name: ruleName,
  matches: list(GRPCRouteMatchSchema, 'Calls it is for: any of these; default all.', { maxItems: 64 }),
  filters: list(GRPCRouteFilterSchema, 'What is done to them.', { maxItems: 16 }),
  backendRefs: list(GRPCBackendRefSchema, 'Who gets them; none: they are answered 500.', { maxItems: 16 }),
  sessionPersistence: SessionPersistenceSchema,
});

export const GRPCRouteSchema = message('Routes gRPC calls.', {
  ...routeFields,
  hostnames,
  rules: list(GRPCRouteRuleSchema, 'The rules.', { maxItems: 16 }),
});

const L4RuleSchema = message('Where connections go.', {
  name: ruleName,
  backendRefs: list(BackendRefSchema, 'Who gets them.', { maxItems: 16 }),
});

const l4Rules = list(L4RuleSchema, 'The rules.', { minItems: 1, maxItems: 16 });

export const TLSRouteSchema = message(
  'Routes TLS connections by the host they ask for (SNI).',
  { ...routeFields, hostnames, rules: l4Rules },
  { required: ['rules'] },
);

export const TCPRouteSchema = message(
  'Routes TCP connections.',
  { ...routeFields, rules: l4Rules },
  {
    required: ['rules'],
  },
);

export type GRPCRouteSpec = Of<typeof GRPCRouteSchema>;
export type GRPCRouteRule = Of<typeof GRPCRouteRuleSchema>;
export type GRPCRouteMatch = Of<typeof GRPCRouteMatchSchema>;
export type GRPCRouteFilter = Of<typeof GRPCRouteFilterSchema>;
export type GRPCBackendRef = Of<typeof GRPCBackendRefSchema>;
export type TLSRouteSpec = Of<typeof TLSRouteSchema>;
export type TCPRouteSpec = Of<typeof TCPRouteSchema>;
export type L4Rule = Of<typeof L4RuleSchema>;
