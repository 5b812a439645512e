import { describe, expect, it } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import { type ConfigObject, objectKey } from '@seine/k8s';
import type { Origin, SourceUpdate } from '@seine/ports';
import { appliedOrigin, ObjectTable } from './object-table.js';

const [fileA, fileB] = ['file:/a.yaml', 'file:/b.yaml'];

function object(host: string, name = 'vs'): ConfigObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'default' },
    spec: { hosts: [host] },
  };
}
const key = objectKey(object(''));

function put(origin: Origin, host: string, changedAt: number): SourceUpdate {
  return { put: [{ object: object(host), origin, changedAt }], deleted: [], diagnostics: new Map() };
}
function gone(origin: Origin): SourceUpdate {
  return { put: [], deleted: [{ key, origin }], diagnostics: new Map() };
}
const inForce = (table: ObjectTable) => {
  const entry = table.get(key);
  return entry && [(entry.object.spec as { hosts: string[] }).hosts[0], entry.origin, ...entry.shadowed];
};

describe('ObjectTable', () => {
  it.each<[string, readonly SourceUpdate[], readonly string[] | undefined]>([
    ['one origin', [put(fileA, 'a', 1)], ['a', fileA]],
    ['the later change wins', [put(fileA, 'a', 1), put(appliedOrigin, 'x', 2)], ['x', appliedOrigin, fileA]],
    ['whatever arrives first', [put(appliedOrigin, 'x', 2), put(fileA, 'a', 1)], ['x', appliedOrigin, fileA]],
    [
      'an edit after an apply',
      [put(fileA, 'a', 1), put(appliedOrigin, 'x', 2), put(fileA, 'b', 3)],
      ['b', fileA, appliedOrigin],
    ],
    ['at the same time the applied one', [put(appliedOrigin, 'x', 1), put(fileA, 'a', 1)], ['x', appliedOrigin, fileA]],
    ['of two files at the same time the last', [put(fileB, 'b', 1), put(fileA, 'a', 1)], ['b', fileB, fileA]],
    [
      'deleting the winner brings back the other',
      [put(fileA, 'a', 1), put(appliedOrigin, 'x', 2), gone(appliedOrigin)],
      ['a', fileA],
    ],
    [
      'deleting the hidden one leaves the winner',
      [put(fileA, 'a', 1), put(appliedOrigin, 'x', 2), gone(fileA)],
      ['x', appliedOrigin],
    ],
    ['deleting all', [put(fileA, 'a', 1), gone(fileA)], undefined],
    ['deleting what is not there', [put(fileA, 'a', 1), gone(fileB)], ['a', fileA]],
  ])('%s', (_, updates, expected) => {
    const table = new ObjectTable();
    for (const update of updates) table.apply(update);
    expect(inForce(table)).toEqual(expected);
  });

  it('returns only changes of what is in force', () => {
    const table = new ObjectTable();
    expect(table.apply(put(fileA, 'a', 1))).toEqual([{ key, object: object('a') }]);
    expect(table.apply(put(fileA, 'a', 2))).toEqual([]);
    expect(table.apply(put(appliedOrigin, 'a', 3))).toEqual([]);
    expect(table.apply(put(fileA, 'b', 2))).toEqual([]);
    expect(table.apply(gone(appliedOrigin))).toEqual([{ key, object: object('b') }]);
    expect(table.apply(gone(fileA))).toEqual([{ key }]);
    expect(table.apply(gone(fileA))).toEqual([]);
  });

  it('moves an object from one file to another without deleting it', () => {
    const table = new ObjectTable();
    table.apply(put(fileA, 'a', 1));
    const moved = { ...put(fileB, 'a', 2), deleted: [{ key, origin: fileA }] };
    expect(table.apply(moved)).toEqual([]);
    expect(inForce(table)).toEqual(['a', fileB]);
  });

  it('tells both sides of shadowing', () => {
    const table = new ObjectTable();
    table.apply(put(fileA, 'a', 1));
    expect([table.shadowNote(key), table.diagnostics()]).toEqual([undefined, []]);
    table.apply(put(appliedOrigin, 'x', 2));
    expect(table.shadowNote(key)).toContain('from apply is in force and hides the version from /a.yaml');
    expect(table.diagnostics()).toMatchObject([
      { severity: 'warning', code: 'SEINE-SHADOWED', object: { kind: 'VirtualService', name: 'vs' } },
    ]);
    table.apply(put(fileA, 'b', 3));
    expect(table.shadowNote(key)).toContain('from /a.yaml is in force and hides the version from apply');
  });

  it('replaces the diagnostics of the origins that are named, and of no other', () => {
    const table = new ObjectTable();
    const diagnostic = (message: string): Diagnostic => ({ severity: 'error', code: 'SEINE-YAML', message });
    const say = (origin: Origin, ...messages: readonly string[]) =>
      table.apply({ put: [], deleted: [], diagnostics: new Map([[origin, messages.map(diagnostic)]]) });
    say(fileB, 'b');
    say(fileA, 'a1', 'a2');
    say(fileA, 'a3');
    expect(table.diagnostics().map(({ message }) => message)).toEqual(['a3', 'b']);
    say(fileA);
    expect(table.diagnostics().map(({ message }) => message)).toEqual(['b']);
  });

  it('says what makes a store right again', () => {
    const table = new ObjectTable();
    table.apply(put(fileA, 'a', 1));
    const stale = object('old', 'stale');
    expect(table.changesFrom(new Map())).toEqual([{ key, object: object('a') }]);
    expect(table.changesFrom(new Map([[key, object('a')]]))).toEqual([]);
    expect(
      table.changesFrom(
        new Map([
          [key, object('z')],
          [objectKey(stale), stale],
        ]),
      ),
    ).toEqual([{ key, object: object('a') }, { key: objectKey(stale) }]);
  });
});
