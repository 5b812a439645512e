import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import { objectKey } from '@seine/k8s';
import { checkObjects } from './check-object.js';
import { formatObject } from './format-object.js';
import { parseConfig } from './parse-config.js';
import { positionOf } from './placed-items.js';
import { splitDocuments } from './split-documents.js';

const good = 'apiVersion: v1\nkind: Service\nmetadata: {name: good}\nspec: {ports: [{port: 80}]}\n';
const keys = (text: string) => parseConfig(text, 'f.yaml').objects.map(objectKey);

describe('parseConfig', () => {
  it.each<[string, string, readonly string[]]>([
    ['one document', good, ['/Service/default/good']],
    [
      'JSON with tabs',
      '{\n\t"apiVersion": "v1",\n\t"kind": "Service",\n\t"metadata": {"name": "a"},\n\t"spec": {"ports": [{"port": 80}]}\n}',
      ['/Service/default/a'],
    ],
    [
      'documents with and without text between',
      `${good}---\n---\n# only a comment\n---\n${good.replace('good', 'b')}`,
      ['/Service/default/good', '/Service/default/b'],
    ],
    [
      'a document end marker',
      `${good}...\n${good.replace('good', 'b')}`,
      ['/Service/default/good', '/Service/default/b'],
    ],
    ['a directive', `%YAML 1.2\n---\n${good}`, ['/Service/default/good']],
    ['a comment before the first marker', `# licence\n---\n${good}`, ['/Service/default/good']],
    [
      'Windows line ends',
      `${good}---\n${good.replace('good', 'b')}`.replaceAll('\n', '\r\n'),
      ['/Service/default/good', '/Service/default/b'],
    ],
    ['a byte order mark', `\ufeff${good}`, ['/Service/default/good']],
    [
      'a List, and a List of one kind in it',
      `apiVersion: v1\nkind: List\nitems:\n- ${good.replaceAll('\n', '\n  ')}\n- apiVersion: v1\n  kind: ServiceList\n  items:\n  - metadata: {name: inner, namespace: x}\n    spec: {ports: [{port: 80}]}\n`,
      ['/Service/default/good', '/Service/x/inner'],
    ],
    [
      'a kind outside namespaces',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: wrong}',
      ['/Namespace//a'],
    ],
    [
      'anchors and merge keys',
      'apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: n, labels: &l {app: x}}\nspec: {selector: {<<: *l, b: c}, ports: [{port: 80}]}',
      ['/Service/n/a'],
    ],
    ['nothing', '', []],
    ['only comments', '# nothing here\n', []],
  ])('reads %s', (_, text, expected) => {
    expect(parseConfig(text, 'f.yaml').diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(keys(text)).toEqual(expected);
  });

  const laughs = [
    'a0: &a0 [x,x,x,x,x,x,x,x,x]',
    ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`),
  ].join('\n');
  const bad: readonly [string, string, string, number, string][] = [
    ['an open bracket', 'kind: [', 'SEINE-YAML', 1, '^'],
    ['a tab for indentation', 'apiVersion: v1\nkind: Service\nmetadata:\n\tname: a\n', 'SEINE-YAML', 4, 'Tabs'],
    ['a key twice', 'apiVersion: v1\nkind: Service\nkind: Pod\nmetadata: {name: a}\n', 'SEINE-YAML', 3, 'unique'],
    ['an open quote', 'apiVersion: v1\nkind: "Service\nmetadata: {name: a}\n', 'SEINE-YAML', 3, 'quote'],
    ['an alias to nowhere', 'apiVersion: *nowhere\n', 'SEINE-YAML', 1, 'nowhere'],
    ['a document that explodes', laughs, 'SEINE-YAML', 1, 'alias'],
    ['text', 'hello', 'SEINE-OBJECT', 1, 'apiVersion, kind and metadata.name'],
    ['a number', '42', 'SEINE-OBJECT', 1, 'the number 42'],
    ['a list', '- a\n- b', 'SEINE-OBJECT', 1, 'a list'],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', 'SEINE-OBJECT', 1, 'kind must be set'],
    ['no name', 'apiVersion: v1\nkind: Service\nmetadata: {labels: {}}', 'SEINE-OBJECT', 3, 'metadata.name must'],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: Service\nmetadata:\n  name: 5',
      'SEINE-OBJECT',
      4,
      'metadata.name',
    ],
    ['control characters', '\u0001\u0002\u0003: [\u0004', 'SEINE-YAML', 1, ''],
  ];
  it.each(bad)('tells %s by line, and takes the rest', (_, text, code, line, message) => {
    const { objects, diagnostics } = parseConfig(`${good}---\n${text}\n---\n${good.replace('good', 'b')}`, 'f.yaml');
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['good', 'b']);
    const first = diagnostics[0]!;
    expect(first).toMatchObject({ severity: 'error', code, position: { file: 'f.yaml', line: line + 5 } });
    expect(first.message).toContain(message);
  });

  it('survives nesting deeper than the stack', () => {
    const { diagnostics } = parseConfig(`a: ${'['.repeat(200_000)}\n---\n${good}`, 'f.yaml');
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'SEINE-YAML' }]);
  });

  it.each([
    ['a syntax error', 'kind: Secret\napiVersion: v1\ndata: { key: bananas\n'],
    ['a stray text', 'kind: Secret\ndata:\n  key: "x" bananas\n'],
    ['a number', 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata: { key: 8266 }\n'],
    ['no base64', 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata: { key: bananas! }\n'],
    ['a list', 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { key: [bananas] }\n'],
  ])('repeats nothing of a Secret that has %s', (_what, text) => {
    const { diagnostics, objects } = parseConfig(text, 'f.yaml');
    expect(objects).toEqual([]);
    expect(diagnostics).not.toEqual([]);
    expect(JSON.stringify(diagnostics)).not.toMatch(/bananas|8266/);
  });

  it('shows the line of a syntax error with a caret', () => {
    const [diagnostic] = parseConfig(`${good}---\nkind: Service\nspec: {a: b: c}\n`, 'dir/f.yaml').diagnostics;
    expect(formatDiagnostic(diagnostic!)).toMatch(/^dir\/f\.yaml:7:\d+: error SEINE-YAML .*\nspec: \{a: b: c\}\n +\^$/);
  });

  it.each<[string | undefined, number, number]>([
    ['spec.http[1].route[0].weight', 15, 7],
    ['spec.http[1].match[3]', 13, 5],
    ['spec.http[0].match[0].sourceLabels.x.y/z', 11, 22],
    ['spec.http[0].match[0].sourceLabels["x.y/z"]', 11, 22],
    ['spec.nothing.here', 7, 1],
    ['metadata', 5, 1],
    [undefined, 3, 1],
  ])('finds the position of %s', (path, line, column) => {
    const text = [
      '# first',
      '---',
      'apiVersion: networking.istio.io/v1',
      'kind: VirtualService',
      'metadata:',
      '  name: a',
      'spec:',
      '  hosts: [a]',
      '  http:',
      '  - match:',
      '    - sourceLabels: {x.y/z: "1"}',
      '    route: [{destination: {host: a}}]',
      '  - route:',
      '    - destination: {host: a}',
      '      weight: 5',
    ].join('\n');
    const { positions } = parseConfig(text, 'f.yaml');
    const document = positions.get('networking.istio.io/VirtualService/default/a')!;
    expect(positionOf(document, path)).toEqual({ file: 'f.yaml', line, column });
  });

  it('finds the position of an item of a List', () => {
    const text =
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n  spec: {ports: [{port: 80}]}\n';
    const document = parseConfig(text, 'f.yaml').positions.get('/Service/default/a')!;
    expect(positionOf(document, 'metadata.name')).toEqual({ file: 'f.yaml', line: 7, column: 5 });
  });

  it('lets the last of two definitions count, and tells both', () => {
    const { objects, diagnostics } = parseConfig(`${good}---\n${good.replace('80', '81')}`, 'f.yaml');
    expect(objects).toMatchObject([{ spec: { ports: [{ port: 81 }] } }]);
    expect(diagnostics).toMatchObject([
      { severity: 'warning', code: 'SEINE-DUPLICATE-OBJECT', position: { line: 1 } },
      { severity: 'warning', code: 'SEINE-DUPLICATE-OBJECT', position: { line: 6 } },
    ]);
  });

  it('leaves out nulls, makes up no timestamp, and freezes', () => {
    const [object] = parseConfig(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: null}\ndata:\n',
      'f.yaml',
    ).objects;
    expect(object).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } });
    expect(Object.isFrozen(object?.metadata)).toBe(true);
  });

  it('keeps nulls where a spec holds foreign data', () => {
    const text =
      'apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: a}\nspec:\n  configPatches:\n  - applyTo: CLUSTER\n    patch: {operation: MERGE, value: {eds_cluster_config: null}}\n';
    const [{ value }] = checkObjects(parseConfig(text, 'f.yaml').objects[0]).map(({ object }) => ({
      value: JSON.stringify(object?.spec),
    })) as [{ value: string }];
    expect(value).toContain('"eds_cluster_config":null');
  });
});

describe('splitDocuments', () => {
  it.each<[string, string, readonly number[]]>([
    ['nothing', '', [1]],
    ['one document', 'a: 1\n', [1]],
    ['markers with text behind them', '--- a\n--- # b\n---\tc\n', [1, 2, 3]],
    ['what only looks like one', '----\n---a\n ---\na: ---\n', [1]],
    ['a marker in a block text', 'a: |\n  ---\n---\nb: 2\n', [1, 3]],
    ['a marker at the end', 'a: 1\n---', [1, 2]],
  ])('finds where documents begin in %s', (_, text, lines) => {
    const chunks = splitDocuments(text);
    expect(chunks.map(({ line }) => line)).toEqual(lines);
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
  });
});

describe('checkObjects', () => {
  it('judges values as the documents of a file', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' } }, 5],
    };
    expect(checkObjects(list)).toMatchObject([
      { key: '/ConfigMap/default/p', object: { metadata: { namespace: 'default' } }, diagnostics: [] },
      { key: undefined, object: undefined, diagnostics: [{ code: 'SEINE-OBJECT' }] },
    ]);
  });
});

describe('formatObject', () => {
  it('writes what parses to the same object', () => {
    const data = { a: 'yes', b: '012', c: 'multi\nline: "text"\n', d: '# no comment', e: '---\nkind: Service' };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'b', labels: data }, data };
    expect(parseConfig(formatObject(object), 'f.yaml').objects).toEqual([object]);
  });
});
