import { describe, expect, it } from '@jest/globals';
import { labelsFromServerInfo } from './server-info.js';

const place = { name: 'reviews-v1-abc', namespace: 'default' };

describe('what metrics call a workload', () => {
  it('is what its Envoy was started with', () => {
    const metadata = { WORKLOAD_NAME: 'reviews-v1', CLUSTER_ID: 'east', LABELS: { app: 'reviews', version: 'v1' } };
    expect(labelsFromServerInfo(JSON.stringify({ node: { metadata } }), place)).toEqual({
      workload: 'reviews-v1',
      namespace: 'default',
      service: 'reviews',
      revision: 'v1',
      app: 'reviews',
      version: 'v1',
      cluster: 'east',
    });
  });

  it.each(['', '{}', '<html>', 'null', '{"node":{"metadata":{"WORKLOAD_NAME":7,"LABELS":null}}}'])(
    'is its own name where %s is said',
    (text) => {
      expect(labelsFromServerInfo(text, place)).toMatchObject({ workload: 'reviews-v1-abc', app: 'unknown' });
    },
  );
});
