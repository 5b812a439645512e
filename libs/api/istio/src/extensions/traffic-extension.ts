import type { ConfigObject } from '@seine/k8s';
import { targetRefs } from '../networking/policy-target.js';
import { LabelSelectorSchema } from '../networking/selector.js';
import { atMostOne, choice, integer, list, message, type Of, text } from '../schema.js';
import { TrafficSelectorSchema, wasmFields } from './wasm.js';

export const TrafficExtensionSchema = message(
  'A WebAssembly module or a Lua script that proxies run as a filter.',
  {
    selector: LabelSelectorSchema,
    targetRefs,
    phase: choice(['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS'], 'Before which of the built-in filters it runs.', {
      fallback: 'at the end of the chain',
    }),
    priority: integer('Order within the phase, the highest first.', { nullable: true, fallback: '0' }),
    match: list(TrafficSelectorSchema, 'Traffic that it runs for; all when absent.'),
    wasm: message('A WebAssembly module.', wasmFields, { required: ['url'] }),
    lua: message(
      'A Lua script.',
      { inlineCode: text('The script.', { minLength: 1, maxLength: 65536 }) },
      { required: ['inlineCode'] },
    ),
  },
  {
    oneofs: [['wasm', 'lua']],
    rules: [
      atMostOne('only one of targetRefs or selector can be set', 'selector', 'targetRefs'),
      { rule: 'has(self.wasm) || has(self.lua)', message: 'exactly one of wasm or lua must be set' },
    ],
  },
);
/** What a WasmPlugin says of its module too. */
export type WasmSettings = NonNullable<TrafficExtensionSpec['wasm']>;
export type TrafficExtensionSpec = Of<typeof TrafficExtensionSchema>;
export type TrafficExtension = ConfigObject<TrafficExtensionSpec> & {
  readonly kind: 'TrafficExtension';
  readonly spec: TrafficExtensionSpec;
};
