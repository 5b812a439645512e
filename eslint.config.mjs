import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Who may import whom. Layers name only what lies below them; data flows down the table (docs/architecture.md). */
const only = (sourceTag, ...onlyDependOnLibsWithTags) => ({ sourceTag, onlyDependOnLibsWithTags });
const base = ['layer:foundation', 'layer:api'];
const libraries = [
  'adapter',
  'registry',
  'compile',
  'snapshot',
  'pipeline',
  'serve',
  'ca',
  'sds',
  'identity',
  'telemetry',
  'mixer',
  'model',
]
  .map((l) => `layer:${l}`)
  .concat(base);
const depConstraints = [
  only('layer:api', 'layer:api'),
  only('layer:foundation', ...base),
  only('layer:model', 'layer:model', ...base),
  only('layer:mixer', 'layer:model', ...base),
  only('layer:adapter', 'layer:mixer', 'layer:telemetry', 'layer:model', ...base),
  only('layer:registry', 'layer:model', ...base),
  only('layer:compile', 'layer:mixer', 'layer:model', ...base),
  only('layer:snapshot', ...base),
  only('layer:pipeline', 'layer:compile', 'layer:snapshot', 'layer:registry', 'layer:mixer', 'layer:model', ...base),
  only('layer:serve', 'layer:snapshot', ...base),
  only('layer:ca', 'layer:model', ...base),
  only('layer:telemetry', 'layer:mixer', 'layer:model', ...base),
  only('layer:sds', 'layer:ca', ...base),
  only('layer:identity', 'layer:sds', 'layer:ca', ...base),
  only('layer:app', ...libraries),
  only('layer:compose', 'layer:app', ...libraries),
  only('layer:testing', 'layer:testing', ...libraries),
  only('layer:example', 'layer:mixer', 'layer:api'),
  {
    sourceTag: 'purity:pure',
    onlyDependOnLibsWithTags: ['purity:pure'],
    bannedExternalImports: ['@nestjs/*', '@grpc/*', 'ioredis', 'prom-client', '@kubernetes/*', 'node-forge', 'pino'],
  },
];

const pure = [
  'analyze',
  'api',
  'gateway-api',
  'legacy-security',
  'mixer',
  'rate-limit',
  'service-graph',
  'telemetry',
  'model',
  'ports',
  'registry',
  'compile',
  'bootstrap',
  'snapshot',
  'pipeline',
].map((d) => `libs/${d}/**/*.ts`);

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'libs/api/envoy/src/gen/**', '.nx/**', '**/testdata/**'] },
  {
    files: ['**/*.ts'],
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: [] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          depConstraints,
          enforceBuildableLibDependency: true,
          banTransitiveDependencies: true,
          allow: [],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // Nest declares its options as classes and is handed literals everywhere.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 16],
    },
  },
  {
    // Pure code is given its clock, ids and IO.
    files: [...pure, 'libs/foundation/diagnostics/**/*.ts', 'libs/foundation/memo/**/*.ts'],
    ignores: ['**/*.spec.ts', 'libs/pipeline/src/testing/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['node:fs*', 'node:net', 'node:http*', 'node:child_process', 'node:os', 'fs', 'net'] },
      ],
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now' },
        { object: 'Math', property: 'random' },
      ],
    },
  },
  {
    files: [
      ...['**/*.spec.ts', '**/*.fixture.ts', 'e2e/**/*.ts', 'libs/testing/**/*.ts'],
      ...['libs/pipeline/src/testing/**', 'libs/analyze/src/testing/**'],
    ],
    languageOptions: {
      parserOptions: {
        projectService: false,
        project: ['tsconfig.spec.json', 'libs/testing/tsconfig.json', 'e2e/tsconfig.json'],
      },
    },
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@nx/enforce-module-boundaries': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [js.configs.recommended],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
);
