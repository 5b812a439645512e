import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { FakeIo } from '../testing/fake-io.js';
import { registerUp, upArguments, type UpFlags } from './up.js';

/** The flags as commander reads them from a command line. */
function parse(args: string[]): UpFlags {
  const program = new Command();
  registerUp(program, new FakeIo());
  const up = program.commands[0]!;
  up.parseOptions(args);
  return up.opts();
}

describe('upArguments', () => {
  it.each([
    [[], []],
    [
      ['--config', 'dir', '--no-sample'],
      ['--config', 'dir', '--no-sample'],
    ],
    [
      ['--envoy', '/e', '--fresh'],
      ['--fresh', '--envoy', '/e'],
    ],
    [
      ['--no-envoy', '--no-download'],
      ['--no-envoy', '--no-download'],
    ],
    [
      ['--state=s', '--intercept'],
      ['--state', 's', '--intercept'],
    ],
  ])('%j becomes %j', (args, expected) => {
    expect(upArguments(parse(args))).toEqual(expected);
  });
});
