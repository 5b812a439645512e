import { expect, it } from '@jest/globals';
import { problemsOf } from '../testing/adapter.fixture.js';
import { rbac } from './rbac.js';

it('rbac says what does its work', () => {
  expect(problemsOf(rbac, { configStoreUrl: 'k8s://' })).toEqual([
    { path: '', message: expect.stringMatching(/ServiceRole.*AuthorizationPolicy/) },
  ]);
});
