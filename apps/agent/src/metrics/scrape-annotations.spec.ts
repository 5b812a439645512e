import { describe, expect, it } from '@jest/globals';
import { scrapeTarget } from './scrape-annotations.js';

const scrape = { 'prometheus.io/scrape': 'true' };

describe('where an application exposes its metrics', () => {
  it.each([
    ['nowhere, without annotations', undefined, undefined],
    ['nowhere, where it is not to be scraped', { 'prometheus.io/scrape': 'false' }, undefined],
    ['at Istio’s defaults', scrape, { port: 80, path: '/metrics' }],
    [
      'at its port and path',
      { ...scrape, 'prometheus.io/port': '8080', 'prometheus.io/path': 'm' },
      { port: 8080, path: '/m' },
    ],
    ['nowhere, where it is not to be merged', { ...scrape, 'prometheus.istio.io/merge-metrics': 'false' }, undefined],
    ['nowhere, where the port is that of the merged metrics', { ...scrape, 'prometheus.io/port': '15020' }, undefined],
    ['nowhere, where the port is none', { ...scrape, 'prometheus.io/port': 'http' }, undefined],
    ['nowhere, where no port can be so high', { ...scrape, 'prometheus.io/port': '65536' }, undefined],
  ])('%s', (_what, annotations, expected) => {
    expect(scrapeTarget(annotations)).toEqual(expected);
  });
});
