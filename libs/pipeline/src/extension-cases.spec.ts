import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic, hasErrors } from '@seine/diagnostics';
import { TypeUrl } from '@seine/envoy';
import { parseConfig } from '@seine/source-file';
import { aProxy } from '@seine/testing';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { viewsToJson } from './compile-proxy.js';
import { violationsOf } from './testing/golden-case.js';
import { MeshUnderTest } from './testing/mesh-under-test.js';
import { nackCauses } from './testing/nack-causes.js';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const cases = process.env['SEINE_CASES'] ?? path.join(repository, '../shared/cases');

/** Files of the corpus with WasmPlugins or TrafficExtensions that have to be taken. */
function extensionFiles(): readonly string[] {
  const index = path.join(cases, 'index.tsv');
  if (!fs.existsSync(index)) return [];
  return fs
    .readFileSync(index, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([file = '', verdict = '']) => {
      const text =
        /^OK\b/.test(verdict) && /\.ya?ml$/.test(file) ? fs.readFileSync(path.join(cases, file), 'utf8') : '';
      return /^kind: (WasmPlugin|TrafficExtension)$/m.test(text);
    })
    .map(([file = '']) => file);
}

/** Fills a template in as Istio's tests do: every condition holds. */
function filled(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*{{-?\s*(if|end|else|range)\b.*}}\s*$/.test(line))
    .join('\n')
    .replace(/{{\s*\.\w*URL\s*}}/g, 'oci://registry.example.com/module:v1')
    .replace(/{{\s*\.\w*Policy\s*}}/g, 'IfNotPresent')
    .replace(/{{\s*\.(\w+)\s*}}/g, (_all, name: string) => name.toLowerCase());
}

describe('real extensions', () => {
  it('are there: SEINE_CASES names the folder, default ../shared/cases', () => {
    expect(extensionFiles().length).toBeGreaterThan(8);
  });

  it.each(extensionFiles())('%s is taken, and compiles to what Envoy takes', (file) => {
    const { objects, diagnostics } = parseConfig(filled(fs.readFileSync(path.join(cases, file), 'utf8')), file);
    expect(diagnostics.filter((found) => hasErrors([found])).map(formatDiagnostic)).toEqual([]);
    expect(diagnostics.filter(({ code }) => code === 'SEINE-UNSUPPORTED').map(formatDiagnostic)).toEqual([]);
    const selectors = objects.map(
      ({ spec }) => (spec as { selector?: { matchLabels?: Record<string, string> } }).selector?.matchLabels ?? {},
    );
    const world = new MeshUnderTest([...objects]);
    for (const labels of selectors)
      for (const type of ['sidecar', 'router'] as const) {
        const views = world.views(Object.freeze(aProxy({ labels, type })));
        const compiled = viewsToJson(views);
        expect([...nackCauses(compiled), ...violationsOf(compiled)]).toEqual([]);
        const lua = compiled.listeners.some((listener) => JSON.stringify(listener).includes('filters.http.lua'));
        if (type === 'sidecar') expect(lua || views.has(TypeUrl.extension)).toBe(true);
      }
  });
});
