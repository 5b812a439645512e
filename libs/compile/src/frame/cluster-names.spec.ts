import { describe, expect, it } from '@jest/globals';
import { inboundClusterName, outboundClusterName, parseClusterName } from './cluster-names.js';

describe('cluster names', () => {
  it.each([
    [9080, 'v1', 'reviews.default.svc.cluster.local', 'outbound|9080|v1|reviews.default.svc.cluster.local'],
    [80, undefined, '*.example.com', 'outbound|80||*.example.com'],
    [80, '', 'a.b', 'outbound|80||a.b'],
  ])('outboundClusterName(%p, %p, %p)', (port, subset, host, name) => {
    expect(outboundClusterName(port, subset, host)).toBe(name);
    expect(parseClusterName(name)).toEqual({ direction: 'outbound', port, subset: subset ?? '', host });
  });

  it('names inbound clusters by port alone', () => {
    expect(inboundClusterName(9080)).toBe('inbound|9080||');
    expect(parseClusterName('inbound|9080||')).toEqual({ direction: 'inbound', port: 9080, subset: '', host: '' });
  });

  it.each(['PassthroughCluster', 'outbound|x||h', 'outbound|80|h', 'other|80||h', 'outbound|80||h|more'])(
    'parseClusterName refuses %p',
    (name) => {
      expect(parseClusterName(name)).toBeUndefined();
    },
  );
});
