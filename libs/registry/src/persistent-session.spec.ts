import { describe, expect, it } from '@jest/globals';
import { sessionOf } from './persistent-session.js';

const cookie = 'istio.io/persistent-session';
const header = 'istio.io/persistent-session-header';

describe('sessionOf', () => {
  it.each<[Readonly<Record<string, string>>, unknown]>([
    [{}, undefined],
    [{ [cookie]: '' }, undefined],
    [{ [cookie]: ':/path' }, undefined],
    [{ [cookie]: 'place' }, { cookie: { name: 'place', path: '/' } }],
    [{ [cookie]: 'place:/a:b' }, { cookie: { name: 'place', path: '/a:b' } }],
    [{ [header]: 'x-place' }, { header: 'x-place' }],
    [{ [header]: 'x-place', [cookie]: 'place' }, { cookie: { name: 'place', path: '/' } }],
  ])('of labels %j is %j', (labels, session) => {
    expect(sessionOf(labels).persistentSession).toEqual(session);
  });
});
