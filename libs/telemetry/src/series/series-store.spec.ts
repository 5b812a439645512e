import { describe, expect, it } from '@jest/globals';
import { readExposition } from '../exposition/read-exposition.js';
import type { LabelCut } from './series-family.js';
import { SeriesStore } from './series-store.js';

function store(now = () => 0) {
  const cuts: LabelCut[] = [];
  const made = new SeriesStore({ now, onCut: (cut) => cuts.push(cut) });
  const text = (): string => [...made.write()].join('');
  const sum = (name: string): number =>
    [...(readExposition(text()).get(name)?.series.values() ?? [])].reduce((a, b) => a + b, 0);
  return { store: made, cuts, text, sum };
}

describe('what is written', () => {
  it('is nothing where nothing was counted', () => {
    const { store: series, text } = store();
    series.family({ name: 'requests', type: 'counter', help: 'Requests.' });
    expect(text()).toBe('');
  });

  it('is a counter, a gauge and a histogram', () => {
    const { store: series, text } = store();
    const requests = series.family({ name: 'requests', type: 'counter', help: 'Requests.' }).labels(['path', 'code']);
    requests.with(['/a"b\\\n', '200']).record(1);
    requests.with(['/a"b\\\n', '200']).record(2.5);
    const gauge = series.family({ name: 'open', type: 'gauge' }).labels([]).with([]);
    gauge.record(5);
    gauge.record(3);
    const seconds = series
      .family({ name: 'seconds', type: 'histogram', bounds: [0.5, 1] })
      .labels(['code'])
      .with(['x']);
    for (const value of [0.5, 0.6, 1, 7]) seconds.record(value);
    expect(text()).toBe(
      [
        '# HELP requests Requests.',
        '# TYPE requests counter',
        'requests{path="/a\\"b\\\\\\n",code="200"} 3.5',
        '# TYPE open gauge',
        'open 3',
        '# TYPE seconds histogram',
        'seconds_bucket{code="x",le="0.5"} 1',
        'seconds_bucket{code="x",le="1"} 3',
        'seconds_bucket{code="x",le="+Inf"} 4',
        'seconds_sum{code="x"} 9.1',
        'seconds_count{code="x"} 4',
        '',
      ].join('\n'),
    );
  });

  it('comes in parts, each of whole series', () => {
    const { store: series } = store();
    const family = series.family({ name: 'requests', type: 'counter', maxSeries: 50_000 }).labels(['name']);
    for (let i = 0; i < 20_000; i++) family.with([`a-name-that-is-not-short-${i}`]).record(1);
    const chunks = [...series.write()];
    expect(chunks.length).toBeGreaterThan(10);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(70_000);
    expect(chunks.every((chunk) => chunk.endsWith('\n'))).toBe(true);
    expect(readExposition(chunks.join('')).get('requests')?.series.size).toBe(20_000);
  });
});

describe('labels', () => {
  it('are the same series when they are equal', () => {
    const family = store().store.family({ name: 'requests', type: 'counter' });
    const series = family.labels(['a', 'b']).with(['1', '']);
    expect(family.labels(['a', 'b']).with(['1', ''])).toBe(series);
    expect(family.labels(['a', 'b']).with(['', '1'])).not.toBe(series);
    expect(family.labels(['a']).with(['1'])).not.toBe(series);
    expect(family.size).toBe(3);
  });

  it('are cut where they are long, and equal then', () => {
    const { store: series, text } = store();
    const family = series.family({ name: 'requests', type: 'counter', maxLabelLength: 8 });
    family
      .labels(['path'])
      .with([`12345678${'x'.repeat(1_000_000)}`])
      .record(1);
    family.labels(['path']).with(['12345678y']).record(1);
    expect(text()).toContain('requests{path="12345678"} 2');
  });

  it('have no halves of characters', () => {
    const { store: series, text } = store();
    const family = series.family({ name: 'requests', type: 'counter', maxLabelLength: 2 });
    family.labels(['path']).with(['a\u{1f600}']).record(1);
    family.labels(['path']).with(['\0']).record(1);
    expect(text()).toContain('requests{path="a\ufffd"} 1\nrequests{path="\ufffd"} 1\n');
  });
});

describe('more series than there may be', () => {
  it('share one under the label that has most values, and the sum is right', () => {
    const { store: series, cuts, text, sum } = store();
    const family = series.family({ name: 'requests', type: 'counter', maxSeries: 100 });
    const labelled = family.labels(['code', 'path']);
    for (let i = 0; i < 1000; i++) labelled.with([i % 2 === 0 ? '200' : '404', `/${i}`]).record(1);
    expect(cuts).toEqual([{ metric: 'requests', label: 'path', values: 100, maxSeries: 100 }]);
    expect(text()).toContain('requests{code="200",path="other"} 450\nrequests{code="404",path="other"} 450\n');
    expect(text()).toContain('requests{code="404",path="/99"} 1\n');
    expect(sum('requests')).toBe(1000);
    expect(family.size).toBe(102);
    expect(family.combined).toBe(900);
  });

  it('still count those that are there', () => {
    const family = store().store.family({ name: 'requests', type: 'counter', maxSeries: 1 });
    const first = family.labels(['path']).with(['/']);
    family.labels(['path']).with(['/1']).record(1);
    expect(family.labels(['path']).with(['/'])).toBe(first);
  });

  it('lose one label after the other where several grow', () => {
    const { store: series, cuts, sum } = store();
    const family = series.family({ name: 'requests', type: 'counter', maxSeries: 100 });
    const labelled = family.labels(['reporter', 'path', 'host']);
    for (let i = 0; i < 5000; i++) labelled.with(['source', `/${i}`, `host-${i}`]).record(1);
    expect(cuts.map(({ label }) => label)).toEqual(['path', 'host']);
    expect(family.size).toBeLessThanOrEqual(115);
    expect(sum('requests')).toBe(5000);
  });

  it('are bounded whatever is done', () => {
    const { store: series, sum } = store();
    const family = series.family({ name: 'requests', type: 'counter', maxSeries: 20 });
    const labelled = family.labels(['a', 'b', 'c', 'd']);
    for (let i = 0; i < 5000; i++) labelled.with([0, 1, 2, 3].map((n) => String((i * (n + 7)) % (300 + n)))).record(1);
    expect(family.size).toBeLessThanOrEqual(25);
    expect(sum('requests')).toBe(5000);
  });
});

it('forgets series that nobody uses', () => {
  let now = 0;
  const { store: series, text } = store(() => now);
  const labelled = series.family({ name: 'requests', type: 'counter' }).labels(['path']);
  labelled.with(['/old']).record(1);
  labelled.with(['/used']).record(1);
  now = 1000;
  series.expire(5000);
  labelled.with(['/used']).record(1);
  now = 5500;
  series.expire(5000);
  expect(text()).toBe('# TYPE requests counter\nrequests{path="/used"} 2\n');
});
