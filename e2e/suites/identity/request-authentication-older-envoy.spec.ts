import path from 'node:path';
import { afterAll, describe, jest } from '@jest/globals';
import { findEnvoy } from '@seine/envoy-process';
import { repositoryRoot } from '../../src/index.js';
import { tokenSuite } from './token-suite.js';

// The first run fetches an Envoy.
jest.setTimeout(20 * 60_000);

/** The oldest that takes what pilot sends: 1.36 has no metrics by access loggers. */
const olderVersion = '1.37.0';
const former = process.env['ENVOY_PATH'];

/** Makes the tests of this file run on the older Envoy, which is kept in a cache of its own. */
async function useOlderEnvoy(): Promise<void> {
  const { HOME = '', XDG_CACHE_HOME = path.join(HOME, '.cache') } = process.env;
  const cache = path.join(XDG_CACHE_HOME, 'seine-older-envoy');
  const found = await findEnvoy({
    requirements: path.join(repositoryRoot, 'e2e/older-envoy-requirements.txt'),
    env: { ...process.env, ENVOY_PATH: '', SEINE_ENVOY_PATH: '', XDG_CACHE_HOME: cache },
  });
  if (found.version !== olderVersion) throw new Error(`found Envoy ${found.version} at ${found.path}`);
  process.env['ENVOY_PATH'] = found.path;
}

afterAll(() => {
  if (former === undefined) delete process.env['ENVOY_PATH'];
  else process.env['ENVOY_PATH'] = former;
});

describe(`J-18: on Envoy ${olderVersion}`, () => tokenSuite(useOlderEnvoy));
