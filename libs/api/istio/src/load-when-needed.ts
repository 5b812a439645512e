import { createRequire } from 'node:module';
import type * as Cel from '@bufbuild/cel';
import type * as CelStrings from '@bufbuild/cel/ext';
import type * as Re2 from '@bufbuild/re2';
import type * as AjvModule from 'ajv';
import type * as Yaml from 'yaml';

// Validation needs these libraries, and most that is imported from this package does not: a command line that only
// wants the names of kinds would wait for them. `import()` would make validation asynchronous; all of them also come
// as CommonJS.
const require = createRequire(import.meta.url);

export const loadAjv = () => require('ajv') as typeof AjvModule;
export const loadCel = () => require('@bufbuild/cel') as typeof Cel;
export const loadCelStrings = () => require('@bufbuild/cel/ext') as typeof CelStrings;
/** YAML inside of a field, as the mesh config in its ConfigMap. */
export const loadYaml = () => require('yaml') as typeof Yaml;
export const loadRe2 = () => require('@bufbuild/re2') as typeof Re2;
