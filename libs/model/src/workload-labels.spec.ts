import { describe, expect, it } from '@jest/globals';
import { formatPeer } from './workload-labels.js';

describe('what a proxy says of its workload', () => {
  it('has a letter for each label, and nothing that would be read as another', () => {
    const labels = {
      workload: 'reviews-v1',
      namespace: 'default',
      service: 'reviews',
      revision: 'v1;a=forged',
      app: 'a b',
      version: 'v1',
      cluster: 'Kubernetes',
    };
    expect(formatPeer(labels)).toBe('w=reviews-v1;n=default;s=reviews;r=v1a=forged;a=ab;v=v1;c=Kubernetes');
  });
});
