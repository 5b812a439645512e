import { describe, expect, it } from '@jest/globals';
import { isMeshCommand } from './mesh-process.js';

describe('isMeshCommand', () => {
  it.each([
    ['node\0/opt/seine/apps/all-in-one/dist/main.js\0--fresh\0', true],
    ['node apps/all-in-one/dist/main.js --state /tmp/x', true],
    ['vim\0apps/all-in-one/src/main.ts\0', false],
    ['node\0jest.js\0--testPathPatterns\0apps/all-in-one\0', false],
    ['', false],
  ])('%j: %s', (commandLine, expected) => {
    expect(isMeshCommand(commandLine)).toBe(expected);
  });
});
