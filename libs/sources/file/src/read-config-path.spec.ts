import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { objectKey } from '@seine/k8s';
import { ConfigPathError } from './config-files.js';
import { positionOf } from './placed-items.js';
import { readConfigPath } from './read-config-path.js';

const service = (name: string, port = 80) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: ${port}}]}\n`;

describe('readConfigPath', () => {
  let folder: string;
  const write = (name: string, content: string | Buffer) => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    return file;
  };
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-read-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('reads a folder with all below it, in order of names', () => {
    write('b.yaml', service('b'));
    write('a/z.yml', service('z'));
    write(
      'c.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'c' }, spec: { ports: [{ port: 80 }] } }),
    );
    write('.hidden.yaml', service('hidden'));
    write('readme.md', 'text');
    fs.symlinkSync(folder, path.join(folder, 'circle'));
    const { objects, diagnostics } = readConfigPath(folder);
    expect([objects.map(({ metadata }) => metadata.name), diagnostics]).toEqual([['z', 'b', 'c'], []]);
  });

  it('reads a file that is named, whatever its name', () => {
    const file = write('config.txt', service('a'));
    expect(readConfigPath(file).objects.map(objectKey)).toEqual(['/Service/default/a']);
  });

  it('tells of definitions in two files', () => {
    const [first, second] = [write('1.yaml', service('a', 1)), write('2.yaml', `# x\n${service('a', 2)}`)];
    const { objects, diagnostics } = readConfigPath(folder);
    expect(objects).toMatchObject([{ spec: { ports: [{ port: 2 }] } }]);
    expect(diagnostics).toMatchObject([
      { code: 'SEINE-DUPLICATE-OBJECT', position: { file: first, line: 1 } },
      { code: 'SEINE-DUPLICATE-OBJECT', position: { file: second, line: 2 } },
    ]);
  });

  it.each<[string, Buffer, string]>([
    ['zero bytes', Buffer.from([0x61, 0, 0x62]), 'not text'],
    ['what is not UTF-8', Buffer.from([0x61, 0xff, 0xfe]), 'not UTF-8'],
    ['more than 10 MB', Buffer.alloc(10 * 1024 * 1024 + 1, 0x23), 'at most 10 MB'],
  ])('refuses a file with %s and reads the others', (_, content, message) => {
    const file = write('bad.yaml', content);
    write('good.yaml', service('a'));
    const { objects, diagnostics } = readConfigPath(folder);
    expect(objects).toHaveLength(1);
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'SEINE-FILE', position: { file } }]);
    expect(diagnostics[0]?.message).toContain(message);
  });

  it('says when there is nothing at a path', () => {
    expect(() => readConfigPath(path.join(folder, 'nowhere'))).toThrow(ConfigPathError);
  });
});

/** Real-world YAML: `SEINE_CASES`, or beside the checkout. */
const cases = path.resolve(process.env['SEINE_CASES'] ?? path.join(import.meta.dirname, '../../../../../shared/cases'));

describe('real YAML', () => {
  /** Templates are not YAML yet. */
  const hasYaml = (folder: string) =>
    fs.readdirSync(path.join(cases, folder), { recursive: true }).some((name) => /\.ya?ml$/.test(String(name)));
  const folders = fs.readdirSync(cases, { withFileTypes: true }).filter((entry) => entry.isDirectory());

  it.each(folders.map(({ name }) => name).filter(hasYaml))('of %s is read, or told by file and line', (name) => {
    const { objects, diagnostics, positions } = readConfigPath(path.join(cases, name));
    expect(objects.length + diagnostics.length).toBeGreaterThan(0);
    for (const { position } of diagnostics.filter(({ code }) => code !== 'SEINE-LAST-GOOD')) {
      expect(position?.file).toContain(path.join(cases, name));
      expect(position?.line).toBeGreaterThan(0);
    }
    for (const object of objects) {
      const { file, line } = positionOf(positions.get(objectKey(object))!, 'metadata.name');
      expect(fs.readFileSync(file, 'utf8').split('\n')[line - 1]).toMatch(/name|^---/);
    }
  });

  it('of the samples holds no error, but for two files that are no config', () => {
    const { diagnostics } = readConfigPath(path.join(cases, 'samples'));
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, position }) => `${code} ${path.basename(position?.file ?? '')}`)).toEqual([
      'SEINE-OBJECT jwks.json',
      'SEINE-OBJECT iop.yaml',
    ]);
  });
});
