import { describe, expect, it, jest } from '@jest/globals';
import { validateObject } from '@seine/istio';
import { describedKinds, RandomObjects } from './testing/random-object.js';

jest.setTimeout(300_000);

// That valid ones compile to what Envoy takes is e2e/suites/validate/random.spec.ts.
describe.each(describedKinds.map(({ kind }) => kind))('random objects of kind %s', (kind) => {
  it('that are wrong are refused with the path of the field, and never throw', () => {
    const random = new RandomObjects(2);
    let refused = 0;
    for (let i = 0; i < 150; i++) {
      const object = random.mutated(kind);
      const errors = validateObject(object).filter(({ severity }) => severity === 'error');
      if (errors.length > 0) refused++;
      for (const { path, message } of errors)
        expect([i, message, path]).toEqual([i, message, expect.stringMatching(/^spec\b/)]);
    }
    expect(refused).toBeGreaterThan(20);
  });
});
