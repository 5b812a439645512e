import { describe, expect, it } from '@jest/globals';
import { mergeFamilies } from './merge-families.js';
import { ExpositionError, readExposition } from './read-exposition.js';
import { writeExposition } from './write-exposition.js';

const text = `# HELP requests_total How many there were.
# TYPE requests_total counter
requests_total{reporter="source",path="/a b}\\"{"} 3
requests_total{reporter="destination"} 4
# TYPE size histogram
size_bucket{le="1"} 1
size_bucket{le="+Inf"} 2
size_sum 7.5
size_count 2
# TYPE temperature gauge
temperature -1.5
up 1
`;

describe('exposition', () => {
  it('is read by family', () => {
    const families = readExposition(text);
    expect([...families.values()].map(({ name, type, series }) => [name, type, series.size])).toEqual([
      ['requests_total', 'counter', 2],
      ['size', 'histogram', 4],
      ['temperature', 'gauge', 1],
      ['up', 'untyped', 1],
    ]);
    expect(families.get('requests_total')?.series.get('requests_total{reporter="source",path="/a b}\\"{"}')).toBe(3);
  });

  it('is written as it was read', () => {
    const written = writeExposition(readExposition(text));
    expect(written).toBe(text.replace('up 1', '# TYPE up untyped\nup 1'));
    expect(writeExposition(readExposition(written))).toBe(written);
  });

  it.each([
    ['a timestamp is left out', 'a 1 1700000000000\n', '# TYPE a untyped\na 1\n'],
    ['no newline at the end', 'a 1', '# TYPE a untyped\na 1\n'],
    [
      'lines of Windows, and blank ones',
      'a 1\r\n\r\nb{x="1"} 2\r\n',
      '# TYPE a untyped\na 1\n# TYPE b untyped\nb{x="1"} 2\n',
    ],
    [
      'values that are no plain numbers',
      'a +Inf\nb -Inf\nc NaN\n',
      '# TYPE a untyped\na +Inf\n# TYPE b untyped\nb -Inf\n# TYPE c untyped\nc NaN\n',
    ],
    ['a remark', '# something\n# EOF\na 1\n', '# TYPE a untyped\na 1\n'],
    ['a family without series', '# TYPE a counter\n', ''],
    [
      'a counter whose name ends as a part does',
      '# TYPE a counter\na 1\na_count 2\n',
      '# TYPE a counter\na 1\n# TYPE a_count untyped\na_count 2\n',
    ],
    ['nothing', '', ''],
  ])('%s', (_, given, expected) => {
    expect(writeExposition(readExposition(given))).toBe(expected);
  });

  it.each([
    ['a word', 'a 1\nnonsense\n', 2],
    ['labels that do not end', 'a{b="c 1\n', 1],
    ['no value', 'a{b="c"}\n', 1],
    ['a value that is no number', 'a{b="c"} many\n', 1],
  ])('%s is refused with its line', (_, given, line) => {
    expect(() => readExposition(given)).toThrow(ExpositionError);
    expect(() => readExposition(given)).toThrow(`line ${line}: `);
  });

  it('leaves out what is not wanted', () => {
    const families = readExposition(text, { keep: (name) => name.startsWith('size') });
    expect([...families.keys()]).toEqual(['size']);
    expect(families.get('size')?.series.size).toBe(4);
  });

  it('of several is one, with a family once and equal series summed up', () => {
    const other = readExposition('# TYPE requests_total counter\nrequests_total{reporter="destination"} 6\nmine 1\n');
    const merged = mergeFamilies([readExposition(text), other]);
    expect(merged.get('requests_total')?.series.get('requests_total{reporter="destination"}')).toBe(10);
    expect(writeExposition(merged).match(/# TYPE requests_total/g)).toHaveLength(1);
    expect(merged.get('mine')?.series.size).toBe(1);
  });
});
