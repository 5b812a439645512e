import { envoyfilterEnvoyPatch } from './envoyfilter-envoy-patch.js';
import { checkAnalyzer, the } from './testing/check-analyzer.js';

const patch = (applyTo: string, operation: string, name?: string, proxyVersion?: string) => ({
  applyTo,
  match: proxyVersion ? { proxy: { proxyVersion } } : {},
  patch: { operation, value: name === undefined ? undefined : { name } },
});
const filter = (name: string, configPatches: readonly object[], priority?: number) =>
  the(`EnvoyFilter shop/${name}`, { configPatches, priority });
const at = (name: string, i: number) => `EnvoyFilter/shop/${name} spec.configPatches[${i}].patch.operation`;

checkAnalyzer(envoyfilterEnvoyPatch, [
  [
    'operations that refer to nothing',
    [filter('a', [patch('CLUSTER', 'ADD'), patch('CLUSTER', 'MERGE'), patch('HTTP_FILTER', 'INSERT_FIRST')])],
    [],
  ],
  ...['INSERT_BEFORE', 'INSERT_AFTER', 'REMOVE', 'REPLACE'].map(
    (operation) =>
      [
        `${operation} without priority`,
        [filter('a', [patch('HTTP_FILTER', operation)])],
        [`IST0151 ${at('a', 0)}`],
      ] as const,
  ),
  ['with priority', [filter('a', [patch('HTTP_FILTER', 'INSERT_BEFORE')], -1)], []],
  [
    'the priority that is the default',
    [filter('a', [patch('HTTP_FILTER', 'INSERT_BEFORE')], 0)],
    [`IST0151 ${at('a', 0)}`],
  ],
  [
    'several of a filter are told once',
    [filter('a', [patch('HTTP_FILTER', 'REMOVE', 'x'), patch('HTTP_FILTER', 'REMOVE', 'y')])],
    [`IST0151 ${at('a', 0)}`],
  ],
  [
    'what another filter brings for one version',
    [
      filter('a', [patch('HTTP_FILTER', 'ADD', 'x', '1')]),
      filter('b', [patch('HTTP_FILTER', 'REMOVE', 'x'), patch('HTTP_FILTER', 'REMOVE', 'y')]),
    ],
    [`IST0155 ${at('b', 0)}`, `IST0151 ${at('b', 1)}`],
  ],
  [
    'replaces what cannot be',
    [filter('a', [patch('CLUSTER', 'REPLACE'), patch('VIRTUAL_HOST', 'REPLACE')], 1)],
    [`IST0152 ${at('a', 0)}`],
  ],
  [
    'adds what cannot be',
    [filter('a', [patch('HTTP_ROUTE', 'ADD'), patch('ROUTE_CONFIGURATION', 'ADD')])],
    [`IST0153 ${at('a', 0)}`, `IST0153 ${at('a', 1)}`],
  ],
  ['removes what cannot be', [filter('a', [patch('HTTP_ROUTE', 'REMOVE')])], [`IST0154 ${at('a', 0)}`]],
]);
