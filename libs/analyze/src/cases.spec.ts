import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fieldsOf } from '@seine/k8s';
import { parseConfig } from '@seine/source-file';
import { parse } from 'yaml';
import { analyze, resourceName } from './frame/analyze.js';
import { analyzers } from './frame/analyzers.js';

const repository = path.resolve(import.meta.dirname, '../../..');
const cases = process.env['SEINE_CASES'] ?? path.join(repository, '../shared/cases');
const index = path.join(cases, 'index.tsv');
const families = ['analyze/', 'pilot/'];

/** Names of analyzers in the index that are not those that `istioctl analyze -L` lists. */
const names: Readonly<Record<string, string>> = {
  'authz.AuthorizationPoliciesAnalyzer': 'auth.AuthorizationPoliciesAnalyzer',
  'deployment.ServiceAssociationAnalyzer': 'deployment.MultiServiceAnalyzer',
  'deployment.ApplicationUIDAnalyzer': 'applicationUID.Analyzer',
  'destinationrule.PodNotSelectedAnalyzer': 'destinationrule.SubsetSelectPodAnalyzer',
  'deprecation.FieldAnalyzer': 'deprecation.DeprecationAnalyzer',
  'maturity.AlphaAnalyzer': 'annotations.AlphaAnalyzer',
  'multicluster.MeshNetworksAnalyzer': 'meshnetworks.MeshNetworksAnalyzer',
  'schemaValidation.CollectionValidationAnalyzer': 'schema.ValidationAnalyzer.VirtualService',
  'serviceentry.ProtocolAddressesAnalyzer': 'serviceentry.Analyzer',
};

interface Case {
  readonly name: string;
  readonly analyzer: string;
  readonly files: readonly string[];
  readonly meshConfig: string | undefined;
  /** `IST0101 VirtualService/default/a`, as often as it has to be found. */
  readonly expected: readonly string[];
}

/** Objects without namespace are in `default`; kinds without namespaces are told by having none in the files either. */
function resourceOf(text: string): string {
  const [kind = '', name = ''] = text.trim().split(' ');
  const clusterScoped = /^(Namespace|CustomResourceDefinition|\w+WebhookConfiguration)$/.test(kind);
  return clusterScoped || name.includes('/') ? `${kind}/${name}` : `${kind}/default/${name}`;
}

function expectedOf(text: string): readonly string[] {
  if (text.trim() === 'no message expected') return [];
  return text.split(';').flatMap((one) => {
    const [, code = '', object = '', times = '1'] = /^\s*(IST\d+) \w+ @ (.+?)(?: x(\d+))?\s*$/.exec(one) ?? [];
    return Array.from({ length: Number(times) }, () => `${code} ${resourceOf(object)}`);
  });
}

/** Some companions that verdicts name were not taken into the corpus: what is found of the others still holds. */
const isThere = (file: string) => fs.existsSync(path.join(cases, file));

/** Reads a verdict of the index: one or more of `[name; analyzer; with files; meshConfig file] what is found`. */
function casesOf(file: string, verdict: string): readonly Case[] {
  const folder = file.slice(0, file.indexOf('/') + 1);
  return verdict.split('||').flatMap((one) => {
    const [, head, expected = ''] = /\[(.+?)\] (.*)$/.exec(one) ?? [];
    if (head === undefined) return [];
    const [name = '', analyzer = '', ...rest] = head.split(';').map((part) => part.trim());
    const field = (word: string) => rest.find((part) => part.startsWith(`${word} `))?.slice(word.length + 1);
    const companions = field('with')?.split(',') ?? [];
    const meshConfig = field('meshConfig');
    return [
      {
        name,
        analyzer: names[analyzer] ?? analyzer,
        files: [file, ...companions.map((companion) => folder + companion)].filter(isThere),
        meshConfig: meshConfig && folder + meshConfig,
        expected: expectedOf(expected),
      },
    ];
  });
}

const rows: readonly (readonly [file: string, verdict: string])[] = !fs.existsSync(index)
  ? []
  : fs
      .readFileSync(index, 'utf8')
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([file = '', verdict = '']) => families.some((f) => file.startsWith(f)) && verdict.startsWith('ANALYZE'))
      .map(([file = '', verdict = '']) => [file, verdict]);

const read = (file: string) => fs.readFileSync(path.join(cases, file), 'utf8');
const all = rows.flatMap(([file, verdict]) => casesOf(file, verdict));

describe('what istioctl analyze finds in real YAML', () => {
  it('is there: SEINE_CASES names the folder, default ../shared/cases', () => {
    expect(fs.existsSync(index) ? '' : `${index} is missing`).toBe('');
    expect(all.length).toBeGreaterThan(70);
  });

  it.each(all.map((one) => [`${one.files[0] ?? ''}: ${one.name}`, one] as const))('%s', (_, one) => {
    expect(analyzers.map(({ name }) => name)).toContain(one.analyzer);
    const settings = one.files.filter((file) => file !== one.meshConfig && parseFields(file)['networks'] !== undefined);
    const objectFiles = one.files.filter((file) => file !== one.meshConfig && !settings.includes(file));
    const objects = objectFiles.flatMap((file) => parseConfig(read(file), file).written);
    const found = analyze({
      objects,
      meshConfig: one.meshConfig === undefined ? undefined : parseFields(one.meshConfig),
      meshNetworks: settings[0] === undefined ? undefined : parseFields(settings[0]),
      options: { only: [one.analyzer], now: Date.parse('2026-11-01') },
    });
    const there = new Set([...objects.map(resourceName), 'MeshNetworks/istio-system/meshnetworks']);
    const expected = one.expected.filter((line) => there.has(line.slice(line.indexOf(' ') + 1)));
    expect(found.map(({ code, resource }) => `${code} ${resource}`).sort()).toEqual([...expected].sort());
  });
});

function parseFields(file: string): Readonly<Record<string, unknown>> {
  const text = read(file);
  return /^---$/m.test(text) ? {} : fieldsOf(parse(text));
}
