import { describe, expect, it } from '@jest/globals';
import type { MeshService } from '@seine/model';
import { aService } from '@seine/testing';
import { withAliases } from './aliases.js';
import type { Services } from './visibility.js';

const alias = (name: string, externalName: string): MeshService =>
  aService({ name, externalName, resolution: 'dns', addresses: [] });
const of = (...services: MeshService[]): Services => new Map(services.map((service) => [service.host, service]));
const host = (name: string): string => `${name}.default.svc.cluster.local`;

describe('withAliases', () => {
  const reviews = aService({ name: 'reviews' });

  it.each<[string, MeshService[], Record<string, string[] | undefined>]>([
    ['one step', [reviews, alias('a', host('reviews'))], { reviews: ['a'] }],
    ['two, in any order', [alias('b', host('a')), alias('a', host('reviews')), reviews], { reviews: ['a', 'b'] }],
    ['case and a final dot', [reviews, alias('a', `${host('Reviews')}.`)], { reviews: ['a'] }],
    ['a name of the outside', [reviews, alias('a', 'example.com')], { reviews: undefined, a: undefined }],
    ['a circle', [alias('a', host('b')), alias('b', host('a'))], { a: undefined, b: undefined }],
    ['itself', [alias('a', host('a'))], { a: undefined }],
  ])('%s', (_what, services, expected) => {
    const found = [...withAliases(of(...services)).values()].map(({ name, aliases }) => [name, aliases]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(expected).map(([name, aliases]) => [name, aliases?.map(host)])),
    );
  });

  it('leaves services without aliases as they are, and the map where there are none', () => {
    const plain = of(reviews);
    expect(withAliases(plain)).toBe(plain);
    const ratings = aService({ name: 'ratings' });
    expect(withAliases(of(reviews, ratings, alias('a', host('reviews')))).get(host('ratings'))).toBe(ratings);
  });

  it('gives the same service for the same aliases', () => {
    const more = alias('a', host('reviews'));
    const first = withAliases(of(reviews, more)).get(host('reviews'));
    expect(withAliases(of(reviews, more, aService({ name: 'other' }))).get(host('reviews'))).toBe(first);
  });
});
