import { describe, expect, it } from '@jest/globals';
import { RuleFiles } from './rule-files.js';

const domain = (name: string, unit = 'second') => `domain: ${name}
descriptors:
  - key: path
    rate_limit:
      unit: ${unit}
      requests_per_unit: 1
`;

function follow(...files: readonly string[]) {
  const listeners = new Map<string, (text: string | undefined) => void>();
  const problems: string[] = [];
  const watch = (file: string, onText: (text: string | undefined) => void) => {
    listeners.set(file, onText);
    return () => listeners.delete(file);
  };
  const rules = new RuleFiles({ files, watch, onProblem: (message) => problems.push(message) });
  return { rules, problems, write: (file: string, text: string | undefined) => listeners.get(file)?.(text) };
}

describe('files of rules', () => {
  it('are in force as they change', () => {
    const { rules, write } = follow('a.yaml', 'b.yaml');
    write('a.yaml', domain('shop'));
    write('b.yaml', domain('bank'));
    expect([...rules.rules.keys()]).toEqual(['shop', 'bank']);
    write('a.yaml', domain('store'));
    expect([...rules.rules.keys()].sort()).toEqual(['bank', 'store']);
  });

  it.each<[string, string | undefined, string]>([
    ['a unit that nobody knows', domain('shop', 'blink'), 'a.yaml:5:'],
    ['no YAML', 'domain: [', 'a.yaml:1:'],
    ['a file that is gone', undefined, 'a.yaml cannot be read'],
    ['a domain twice', domain('bank'), 'domain bank is in b.yaml already'],
  ])('R-13: with %s say where, and the old ones stay in force', (_, text, message) => {
    const { rules, problems, write } = follow('a.yaml', 'b.yaml');
    write('b.yaml', domain('bank'));
    write('a.yaml', domain('shop'));
    const before = rules.rules;
    write('a.yaml', text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
    expect(rules.rules).toBe(before);
  });
});
