import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { adapterCatalog } from '@seine/mixer';
import { mixerAdapters } from './adapters.js';
import { loadAdapters } from './load-adapters.js';

describe('loadAdapters', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'adapters-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const load = async (text: string) => {
    const file = path.join(dir, 'adapter.mjs');
    await writeFile(file, text);
    return loadAdapters([file]);
  };
  const good = (name: string) =>
    `export default { name: '${name}', templates: ['checknothing'], params: {}, make: () => ({ checknothing: () => ({ code: 0 }) }) }`;

  it('takes a module in plain JavaScript', async () => {
    expect(await load(good('mine'))).toMatchObject([{ name: 'mine' }]);
  });

  it('goes before a built-in adapter of its name', async () => {
    const [mine] = await load(good('denier'));
    const { kinds } = mixerAdapters({ more: [mine!] });
    expect(adapterCatalog(kinds).get('denier')).toBe(mine);
  });

  it.each([
    ['nothing', 'export const a = 1', 'its default export must be an AdapterKind'],
    ['no name', 'export default {}', 'name must be a text'],
    ['no templates', "export default { name: 'a', templates: [] }", 'templates must be'],
    ['no parameters', "export default { name: 'a', templates: ['metric'] }", 'params must be'],
    ['nothing to make', "export default { name: 'a', templates: ['metric'], params: {} }", 'make must be a function'],
    ['text that is no module', 'export default {', 'cannot be loaded'],
  ])('refuses a module with %s, and names it', async (_, text, message) => {
    const loading = load(text);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(`--adapter ${path.join(dir, 'adapter.mjs')}`);
  });

  it('refuses a file that is not there', async () => {
    await expect(loadAdapters(['./nowhere.js'])).rejects.toThrow('--adapter ./nowhere.js cannot be loaded');
  });
});
