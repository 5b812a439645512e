import { describe, expect, it } from '@jest/globals';
import { contentHash, resource } from './resource.js';
import { diffSets, ResourceSet, unionSets } from './resource-set.js';
import { removesNames, unionViews, type View, viewHas, viewVersion } from './snapshot.js';

const item = (name: string, content = '') => resource(name, Buffer.from(content));
const set = (...items: readonly string[]) =>
  ResourceSet.of(items.map((text) => item(text.split('=')[0]!, text.split('=')[1])));

describe('resource', () => {
  it('is versioned by its content, and by nothing else', () => {
    expect(item('a', 'x').version).toBe(item('b', 'x').version);
    expect(item('a', 'x').version).not.toBe(item('a', 'y').version);
    expect(contentHash('ab', Buffer.from('c'))).toBe(contentHash('abc'));
    expect(item('a', 'x').version).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('ResourceSet', () => {
  it('refuses two resources of one name', () => {
    expect(() => set('a=1', 'a=2')).toThrow('duplicate resource a');
  });

  it('is the one empty set when there is nothing in it', () => {
    expect(ResourceSet.of([])).toBe(ResourceSet.empty);
  });

  it.each([
    ['the same in another order', set('a=1', 'b=2'), set('b=2', 'a=1'), true],
    ['another content', set('a=1'), set('a=2'), false],
    ['another name', set('a=1'), set('b=1'), false],
    ['one more', set('a=1'), set('a=1', 'b=1'), false],
    ['content that changed places', set('a=1', 'b=2'), set('a=2', 'b=1'), false],
  ])('of %s: equal versions %s', (_case, one, other, equal) => {
    expect(one.version === other.version).toBe(equal);
  });
});

describe('diffSets', () => {
  it.each([
    ['nothing', set('a=1'), set('a=1'), [], []],
    ['an addition', set('a=1'), set('a=1', 'b=1'), ['b'], []],
    ['a change', set('a=1', 'b=1'), set('a=2', 'b=1'), ['a'], []],
    ['a removal', set('a=1', 'b=1'), set('b=1'), [], ['a']],
    ['all at once', set('a=1', 'b=1'), set('b=2', 'c=1'), ['b', 'c'], ['a']],
    ['everything from nothing', ResourceSet.empty, set('a=1', 'b=1'), ['a', 'b'], []],
  ])('sees %s', (_case, from, to, changed, removed) => {
    const diff = diffSets(from, to);
    expect(diff.changed.map(({ name }) => name)).toEqual(changed);
    expect(diff.removed).toEqual(removed);
    expect(diffSets(from, to)).toBe(diff);
  });

  it('applied to the one set gives the other (diff ∘ apply = identity)', () => {
    const names = ['a', 'b', 'c', 'd'];
    const sets = Array.from({ length: 81 }, (_, code) =>
      set(...names.flatMap((name, i) => [[], [`${name}=1`], [`${name}=2`]][Math.floor(code / 3 ** i) % 3]!)),
    );
    for (const from of sets)
      for (const to of sets) {
        const { changed, removed } = diffSets(from, to);
        const held = new Map([...from].map((held) => [held.name, held]));
        for (const name of removed) held.delete(name);
        for (const next of changed) held.set(next.name, next);
        expect(ResourceSet.of(held.values()).version).toBe(to.version);
      }
  });
});

describe('unionSets', () => {
  it('keeps what goes away, and takes the new content of what stays', () => {
    const union = unionSets(set('a=1', 'b=1'), set('b=2', 'c=1'));
    expect(union.version).toBe(set('a=1', 'b=2', 'c=1').version);
  });

  it('is the new set itself where nothing goes away', () => {
    const to = set('a=2', 'b=1');
    expect(unionSets(set('a=1'), to)).toBe(to);
  });
});

describe('views', () => {
  const [shared, own] = [set('a=1', 'b=1'), set('own=1')];
  const view: View = Object.freeze([shared, own]);

  it('know the names of all their layers', () => {
    expect(['a', 'own', 'c'].map((name) => viewHas(view, name))).toEqual([true, true, false]);
  });

  it('are versioned by what is in them', () => {
    expect(viewVersion(view)).toBe(viewVersion(Object.freeze([set('b=1', 'a=1'), set('own=1')])));
    expect(viewVersion(view)).not.toBe(viewVersion(Object.freeze([shared])));
  });

  it.each([
    ['nothing', view, view, false],
    ['an addition', view, Object.freeze([set('a=1', 'b=1', 'c=1'), own]), false],
    ['a removal in the first layer', view, Object.freeze([set('a=1'), own]), true],
    ['a layer that is gone', view, Object.freeze([shared]), true],
  ])('tell whether %s removes a name', (_case, from, to, expected) => {
    expect(removesNames(from, to)).toBe(expected);
  });

  it('unite layer by layer, and give the new view itself where nothing goes away', () => {
    const more: View = Object.freeze([set('a=1', 'b=2', 'c=1'), own]);
    expect(unionViews(view, more)).toBe(more);
    const less: View = Object.freeze([set('a=2')]);
    const union = unionViews(view, less);
    expect(union.map((layer) => [...layer.names()].sort())).toEqual([['a', 'b'], ['own']]);
    expect(union[0]?.get('a')?.bytes.toString()).toBe('2');
  });
});
