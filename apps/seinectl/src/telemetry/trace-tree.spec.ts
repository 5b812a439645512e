import { describe, expect, it } from '@jest/globals';
import { slowestSpan, type TraceNode, traceTree, type ZipkinSpan } from './trace-tree.js';

const begin = 1_700_000_000_000_000;

/** Times in milliseconds since the trace began. */
function span(id: string, parentId: string | undefined, start: number, end: number, more: Partial<ZipkinSpan> = {}) {
  const [service = ''] = id.split('-');
  return {
    ...{ traceId: 'ab', id, parentId, name: id, kind: 'SERVER', localEndpoint: { serviceName: service } },
    ...{ timestamp: begin + start * 1000, duration: (end - start) * 1000, tags: {}, ...more },
  };
}

type Shape = readonly [string, number, ...unknown[]];
const shape = ({ name, self, children }: TraceNode): Shape => [name, self, ...children.map(shape)];
const shapes = (...spans: readonly ZipkinSpan[]): readonly Shape[] => traceTree(spans).roots.map(shape);

describe('traceTree', () => {
  it('puts spans below those that called them, by their begin, and counts the time of each itself', () => {
    const spans = [
      span('ratings', 'reviews', 20, 60),
      span('page', undefined, 0, 100),
      span('reviews', 'page', 10, 90),
      span('details', 'page', 5, 10),
    ];
    expect(shapes(...spans)).toEqual([['page', 15, ['details', 5], ['reviews', 40, ['ratings', 40]]]]);
    const tree = traceTree(spans);
    expect(tree).toMatchObject({ traceId: 'ab', duration: 100, spans: 4, startedAt: '2023-11-14T22:13:20.000Z' });
    expect(tree.services).toEqual(['details', 'page', 'ratings', 'reviews']);
    expect(slowestSpan(tree).map(({ name }) => name)).toEqual(['page', 'reviews']);
  });

  it('counts what is called at once only once, and what lasts longer than its caller as far as that goes', () => {
    expect(shapes(span('a', undefined, 0, 100), span('b', 'a', 10, 50), span('c', 'a', 20, 60))).toEqual([
      ['a', 50, ['b', 40], ['c', 40]],
    ]);
    expect(shapes(span('a', undefined, 0, 100), span('b', 'a', 90, 200), span('c', 'a', -50, 10))).toEqual([
      ['a', 80, ['c', 60], ['b', 110]],
    ]);
  });

  it('shows parts where spans are missing', () => {
    expect(shapes(span('a', undefined, 0, 10), span('c', 'lost', 2, 4))).toEqual([
      ['a', 10],
      ['c', 2],
    ]);
  });

  it('puts the server’s half of a span below the client’s, and what was called below the server’s', () => {
    const client = span('b', 'a', 1, 9, { kind: 'CLIENT', name: 'client' });
    const server = span('b', 'a', 2, 8, { name: 'server', shared: true });
    expect(shapes(span('a', undefined, 0, 10), server, client, span('c', 'b', 3, 4))).toEqual([
      ['a', 2, ['client', 2, ['server', 5, ['c', 1]]]],
    ]);
  });

  it('ends where spans call each other in a circle, or themselves', () => {
    expect(shapes(span('a', 'b', 0, 10), span('b', 'a', 1, 9), span('c', 'b', 2, 3), span('d', 'd', 4, 5))).toEqual([
      ['a', 10],
      ['b', 7, ['c', 1]],
      ['d', 1],
    ]);
  });

  it.each<[Record<string, string>, string, string]>([
    [{ 'http.status_code': '200' }, '200', ''],
    [{ 'http.status_code': '503', error: 'true', response_flags: 'UF,URX' }, '503', 'UF,URX'],
    [{ 'http.status_code': '500' }, '500', 'error'],
    [{ 'http.status_code': '404', response_flags: '-' }, '404', ''],
    [{ 'grpc.status_code': '14', 'http.status_code': '200', error: 'true' }, 'grpc 14', 'error'],
    [{ error: 'deadline exceeded' }, '', 'deadline exceeded'],
    [{ error: 'false' }, '', ''],
  ])('reads of %j the status %s and the error %s', (tags, status, error) => {
    expect(traceTree([span('a', undefined, 0, 1, { tags })]).roots[0]).toMatchObject({ status, error });
  });

  it('takes spans that lack what they may lack', () => {
    expect(traceTree([{ traceId: 'ab', id: '1' }])).toMatchObject({
      duration: 0,
      services: ['unknown'],
      roots: [{ service: 'unknown', name: '', kind: '', duration: 0 }],
    });
  });
});
