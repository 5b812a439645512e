import { describe, expect, it } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import { analyzeYaml } from '../testing/find-in-yaml.js';
import { type AnalysisItem, toAnalysisJson } from './analysis-json.js';
import { toSarif } from './sarif.js';

const [finding] = analyzeYaml(`
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec: {host: nobody}
`);
const syntax: Diagnostic = {
  severity: 'error',
  code: 'SEINE-YAML',
  message: 'no YAML',
  position: { file: '/a b/ü.yaml', line: 3 },
};
const unplaced: Diagnostic = {
  severity: 'info',
  code: 'SEINE-X',
  message: 'x',
  object: { kind: 'Namespace', name: 'n' },
  path: 'metadata.name',
};
const items: readonly AnalysisItem[] = [finding!, syntax, unplaced];

describe('toAnalysisJson', () => {
  it('gives findings and diagnostics one shape, and leaves out what is not known', () => {
    expect(items.map(toAnalysisJson)).toEqual([
      {
        code: 'IST0174',
        level: 'warning',
        message: expect.stringContaining('nobody') as unknown,
        resource: 'DestinationRule/default/a',
        file: 'test.yaml',
        line: 5,
        column: 8,
        path: 'spec.host',
      },
      { code: 'SEINE-YAML', level: 'error', message: 'no YAML', file: '/a b/ü.yaml', line: 3 },
      { code: 'SEINE-X', level: 'info', message: 'x', resource: 'Namespace/n', path: 'metadata.name' },
    ]);
  });
});

describe('toSarif', () => {
  // As it is written: fields that are undefined are not.
  const log = JSON.parse(JSON.stringify(toSarif(items, { version: '1.2.3' }))) as ReturnType<typeof toSarif>;
  const [run] = log.runs;

  it('says what it is, and by whom', () => {
    expect(log).toMatchObject({
      version: '2.1.0',
      $schema: expect.stringMatching(/^https:.*sarif.*2\.1\.0/) as unknown,
    });
    expect(run?.tool.driver).toMatchObject({ name: 'seinectl', version: '1.2.3' });
  });

  it('describes each rule once, and points from every result to its rule', () => {
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(['IST0174', 'SEINE-X', 'SEINE-YAML']);
    expect(run?.tool.driver.rules[0]).toMatchObject({
      name: 'UnknownDestinationRuleHost',
      help: { text: 'docs/analyze/IST0174.md' },
      defaultConfiguration: { level: 'warning' },
    });
    for (const { ruleId, ruleIndex } of run!.results) expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });

  it('has the levels that SARIF has', () => {
    expect(run?.results.map(({ level }) => level)).toEqual(['warning', 'error', 'note']);
  });

  it('places results in files by URI, and in objects by name', () => {
    expect(run?.results.map(({ locations }) => locations)).toEqual([
      [
        {
          physicalLocation: { artifactLocation: { uri: 'test.yaml' }, region: { startLine: 5, startColumn: 8 } },
          logicalLocations: [{ fullyQualifiedName: 'DestinationRule/default/a spec.host', kind: 'resource' }],
        },
      ],
      [{ physicalLocation: { artifactLocation: { uri: 'file:///a%20b/%C3%BC.yaml' }, region: { startLine: 3 } } }],
      [{ logicalLocations: [{ fullyQualifiedName: 'Namespace/n metadata.name', kind: 'resource' }] }],
    ]);
  });

  it('is a log with no results where nothing was found', () => {
    expect(toSarif([], { version: '1' }).runs).toMatchObject([{ results: [], tool: { driver: { rules: [] } } }]);
  });
});
