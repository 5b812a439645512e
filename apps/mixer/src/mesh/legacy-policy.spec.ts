import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import { normalizeObject } from '@seine/istio';
import { type ConfigObject, groupOf } from '@seine/k8s';
import { compilePolicy } from '@seine/mixer';
import { adapterKinds } from '@seine/mixer-adapters';
import { parseAllDocuments } from 'yaml';

const cases = process.env['SEINE_CASES'] ?? resolve(import.meta.dirname, '../../../../../shared/cases');

function read(file: string): readonly ConfigObject[] {
  return parseAllDocuments(readFileSync(join(cases, 'legacy', file), 'utf8')).flatMap((document) => {
    const written = document.toJS() as ConfigObject | null;
    if (!written || groupOf(written.apiVersion) !== 'config.istio.io') return [];
    const { metadata } = written;
    return [normalizeObject({ ...written, metadata: { ...metadata, namespace: metadata.namespace || 'default' } })];
  });
}

const files = ['config', 'policy', 'telemetry']
  .flatMap((folder) => readdirSync(join(cases, 'legacy', folder)).map((file) => `${folder}/${file}`))
  .filter((file) => file !== 'policy/prometheus-adapter-deployment.yaml');

/** What files refer to that stands in others, or nowhere. */
const absent: Readonly<Record<string, readonly string[]>> = {
  // Its handler and instance are in config/deny.yaml.
  'config/source_user_filter.yaml': ['there is no handler "denyall"'],
  // These metrics stand in no file of the corpus; those of TCP are in config/tcpmetrics.yaml.
  'config/prometheus.yaml': [
    'there is no instance "requestcount.metric"',
    'there is no instance "requestduration.metric"',
    'there is no instance "requestsize.metric"',
    'there is no instance "responsesize.metric"',
    'there is no instance "tcpbytesent.metric"',
    'there is no instance "tcpbytereceived.metric"',
    'there is no instance "tcpconnectionsclosed.metric"',
    'there is no instance "tcpconnectionsopened.metric"',
  ],
};

describe('policies of Istio 1.1 to 1.4', () => {
  it('are there', () => expect(files.length).toBeGreaterThan(22));

  it.each(files)('%s', (file) => {
    const policy = compilePolicy(read(file), { adapters: adapterKinds });
    const problems = policy.problems.map(formatDiagnostic);
    const expected = absent[file] ?? [];
    for (const [i, problem] of problems.entries()) expect(problem).toContain(expected[i] ?? 'nothing more');
    expect(problems).toHaveLength(expected.length);
    const rules = read(file).filter(({ kind }) => kind === 'rule');
    if (expected.length === 0) expect(policy.rules).toHaveLength(rules.length);
  });

  it('work together', () => {
    const all = files.filter((file) => file.startsWith('config/')).flatMap(read);
    const policy = compilePolicy(all, { adapters: adapterKinds });
    expect(policy.problems.map(({ message }) => message)).toEqual(absent['config/prometheus.yaml']?.slice(0, 4));
    expect(policy.rules.map(({ name }) => name)).toContain('mixerdenyuser.rule.istio-system');
  });
});
