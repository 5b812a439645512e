import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { parseConfig } from '@seine/source-file';
import { parseAllDocuments } from 'yaml';
import { translateIngress } from './translate-ingress.js';

const cases = path.resolve(process.env['SEINE_CASES'] ?? path.join(import.meta.dirname, '../../../../../shared/cases'));
const folder = path.join(cases, 'ingress');
const inputs = fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith('.yaml')) : [];

function byName(objects: readonly Pick<ConfigObject, 'kind' | 'metadata' | 'spec'>[]): Record<string, unknown> {
  return Object.fromEntries(
    objects.map(({ kind, metadata, spec }) => [
      `${kind}/${metadata.namespace}/${metadata.name}`,
      { annotations: metadata.annotations, spec },
    ]),
  );
}

describe('the corpus of Ingress cases', () => {
  it('is there: SEINE_CASES names the folder, default ../shared/cases', () => {
    expect(inputs).toHaveLength(3);
  });

  it.each(inputs)('%s means what it should', (name) => {
    const file = path.join(folder, name);
    const { objects, diagnostics } = parseConfig(fs.readFileSync(file, 'utf8'), file);
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    const options = {
      clusterDomain: 'mydomain',
      rootNamespace: 'istio-system',
      ingressControllerMode: 'DEFAULT' as const,
    };
    const expected = parseAllDocuments(fs.readFileSync(`${file}.golden`, 'utf8')).flatMap(
      (document) => (document.toJS() as ConfigObject | null) ?? [],
    );
    expect(byName(translateIngress(objects, options).objects)).toEqual(byName(expected));
  });
});
