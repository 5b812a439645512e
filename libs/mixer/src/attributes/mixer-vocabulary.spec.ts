import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { mixerVocabulary } from './mixer-vocabulary.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/features/mixer.md'), 'utf8');
const names = new Set([...page.matchAll(/`([a-z_][\w.]*)`/gi)].map(([, name]) => name));

describe('the vocabulary', () => {
  it.each([...mixerVocabulary.keys()])('%s is in the documentation', (name) => {
    expect(names).toContain(name.replace(/^(source|destination)\./, ''));
  });
});
