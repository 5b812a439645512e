import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createProgram } from '../program.js';
import { FakeIo } from '../testing/fake-io.js';
import { bashCompletion } from './bash.js';
import { allNodes, commandTree } from './command-tree.js';
import { fishCompletion } from './fish.js';
import { zshCompletion } from './zsh.js';

const tree = commandTree(createProgram(new FakeIo()), ['virtualservice', 'vs']);

/** What a real bash offers for a line; the last word is the one being typed. */
function complete(words: string[]): string[] {
  const line = ['seinectl', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion(tree)}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _seinectl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

describe('bash', () => {
  it.each([
    [['proxy-s'], ['proxy-status']],
    [
      ['proxy-config', 'list'],
      ['listeners', 'listener'],
    ],
    [['pc', 'boot'], ['bootstrap']],
    [['pc', 'c', 'x', '--sub'], ['--subset']],
    [
      ['get', '-o', ''],
      ['table', 'wide', 'json', 'yaml', 'name'],
    ],
    [['version', '--output', 'j'], ['json']],
    [['completion', 'f'], ['fish']],
    [['get', 'virtualserv'], ['virtualservice']],
    [['apply', '--config-api', ''], []],
  ])('%j offers %j', (words, offered) => {
    expect(complete(words)).toEqual(offered);
  });
});

describe('every shell', () => {
  it.each([
    ['bash', bashCompletion],
    ['zsh', zshCompletion],
    ['fish', fishCompletion],
  ])('%s knows each command and option', (_shell, script) => {
    const text = script(tree);
    for (const node of allNodes(tree)) {
      for (const name of node.names.filter((name) => name !== 'seinectl')) expect(text).toContain(name);
      for (const option of node.options) expect(text).toContain(option.flags.at(-1)!.slice(2));
    }
  });

  it('fish quotes what it reads specially', () => {
    const text = fishCompletion({ path: '', names: ['x'], summary: '', options: [], choices: ["it's"], children: [] });
    expect(text).toContain("-a 'it\\'s'");
  });
});
