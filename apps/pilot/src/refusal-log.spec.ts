import { describe, expect, it } from '@jest/globals';
import { RefusalLog } from './refusal-log.js';

describe('the log of those who were turned away', () => {
  it('has ten lines a second, and says how many it left out', () => {
    const lines: string[] = [];
    let now = 0;
    const log = new RefusalLog(
      (line) => lines.push(line),
      () => now,
    );
    for (let index = 0; index < 25; index++) log.tell(`stranger ${index}`);
    expect(lines).toHaveLength(10);
    now = 1000;
    log.tell('another');
    expect(lines.slice(10)).toEqual(['15 more were turned away', 'another']);
    now = 2000;
    log.tell('one more');
    expect(lines.slice(12)).toEqual(['one more']);
  });
});
