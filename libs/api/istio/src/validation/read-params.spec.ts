import { describe, expect, it } from '@jest/globals';
import { choice, durationOrZero, integer, list, mapOf, message, texts } from '../schema.js';
import { readParams } from './read-params.js';

const level = choice(['INFO', 'WARNING'], 'Level.', { numbered: true });
const schema = message('Parameters.', {
  refreshInterval: { ...durationOrZero('How often.'), default: '60s' },
  overrides: texts('Entries.'),
  severityLevels: mapOf(level, 'By severity.'),
  quotas: list(message('One.', { maxAmount: integer('Most.'), kind: { ...level, default: 'INFO' } }), 'All.'),
});

describe('readParams', () => {
  it.each([
    ['nothing', undefined, { refreshInterval: '60s' }],
    ['names in snake_case', { refresh_interval: '5s' }, { refreshInterval: '5s' }],
    ['null', { refreshInterval: null }, { refreshInterval: '60s' }],
    [
      'numbers of enums, and of texts',
      { severity_levels: { warn: 1 }, quotas: [{ max_amount: '7' }] },
      { refreshInterval: '60s', severityLevels: { warn: 'WARNING' }, quotas: [{ kind: 'INFO', maxAmount: 7 }] },
    ],
  ])('takes %s', (_, given, expected) => {
    expect(readParams(schema, given)).toEqual({ params: expected, diagnostics: [] });
  });

  it.each([
    ['a list', [], '', 'expected an object'],
    ['a number of no name', { severityLevels: { warn: 7 } }, 'severityLevels.warn', 'one of INFO, WARNING'],
    ['what is wrong deep inside', { quotas: [{ maxAmount: 'x' }] }, 'quotas[0].maxAmount', 'a whole number'],
  ])('refuses %s', (_, given, path, message) => {
    const { params, diagnostics } = readParams(schema, given);
    expect(params).toBeUndefined();
    expect(diagnostics[0]).toMatchObject({ path, message: expect.stringContaining(message) });
  });

  it('warns of a field that is not there', () => {
    const { params, diagnostics } = readParams(schema, { refreshIntervall: '5s' });
    expect(params).toBeDefined();
    expect(diagnostics).toMatchObject([{ severity: 'warning', path: 'refreshIntervall' }]);
  });
});
