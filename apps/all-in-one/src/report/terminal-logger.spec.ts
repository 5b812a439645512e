import { describe, expect, it } from '@jest/globals';
import { TerminalLogger } from './terminal-logger.js';

type Call = (logger: TerminalLogger) => void;

describe('the terminal', () => {
  it.each<[string, Call, string[]]>([
    ['a warning', (l) => l.warn('a.yaml:1:2: wrong'), ['! a.yaml:1:2: wrong']],
    ['an error', (l) => l.error('gone'), ['! gone']],
    ['an object', (l) => l.error({ code: 5 }), ['! {"code":5}']],
    ['good news of a service', (l) => l.log('a.yaml: nothing wrong', 'registry'), ['  a.yaml: nothing wrong']],
    ['how Nest starts', (l) => l.log('PilotModule dependencies initialized', 'InstanceLoader'), []],
  ])('gets %s', (_what, call, lines) => {
    const said: string[] = [];
    call(new TerminalLogger((line) => said.push(line)));
    expect(said).toEqual(lines);
  });

  it('gets the stack of an error, which is a bug', () => {
    const said: string[] = [];
    new TerminalLogger((line) => said.push(line)).error(new TypeError('x is not a function'));
    expect(said[0]).toMatch(/^! TypeError: x is not a function\n +at /);
  });
});
