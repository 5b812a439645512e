import type { ConfigObject } from '@seine/k8s';
import { oneTarget, policyTarget } from '../networking/policy-target.js';
import { choice, integer, list, message, type Of } from '../schema.js';
import { TrafficSelectorSchema, wasmFields } from './wasm.js';

export const WasmPluginSchema = message(
  'A WebAssembly module that proxies run as a filter.',
  {
    ...policyTarget,
    ...wasmFields,
    phase: choice(['UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS'], 'Before which of the built-in filters it runs.', {
      fallback: 'at the end of the chain',
    }),
    priority: integer('Order within the phase, the highest first.', { nullable: true, fallback: '0' }),
    match: list(TrafficSelectorSchema, 'Traffic that it runs for; all when absent.'),
  },
  { required: ['url'], rules: [oneTarget] },
);
export type WasmPluginSpec = Of<typeof WasmPluginSchema>;
export type WasmPlugin = ConfigObject<WasmPluginSpec> & { readonly kind: 'WasmPlugin'; readonly spec: WasmPluginSpec };
