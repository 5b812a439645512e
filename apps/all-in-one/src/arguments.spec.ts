import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './arguments.js';

const env = { HOME: '/home/u' };

describe('the command line', () => {
  it('has the defaults of npm start', () => {
    expect(parseArguments([], env, '/cwd')).toEqual({
      config: undefined,
      sample: true,
      fresh: false,
      stateDir: '/home/u/.local/state/seine',
      envoyPath: undefined,
      envoy: true,
      download: true,
      intercept: false,
    });
  });

  it.each([
    [['--config', 'dir'], { config: '/cwd/dir' }],
    [['--no-sample'], { sample: false }],
    [['--fresh'], { fresh: true }],
    [['--envoy', './envoy'], { envoyPath: '/cwd/envoy' }],
    [['--no-envoy'], { envoy: false }],
    [['--no-download'], { download: false }],
    [['--intercept'], { intercept: true }],
    [['--state', '/s'], { stateDir: '/s' }],
  ])('%j means %j', (argv, options) => {
    expect(parseArguments(argv, env, '/cwd')).toMatchObject(options);
  });

  it.each([
    [{ ...env, SEINE_STATE: 's' }, '/cwd/s'],
    [{ ...env, XDG_STATE_HOME: '/x' }, '/x/seine'],
    [{ ...env, XDG_STATE_HOME: '' }, '/home/u/.local/state/seine'],
  ])('with %j the state is in %s', (given, dir) => {
    expect(parseArguments([], given, '/cwd').stateDir).toBe(dir);
  });

  it.each([[['--nonsense']], [['extra']], [['--config']], [['--fresh=yes']]])('%j is refused', (argv) => {
    expect(() => parseArguments(argv, env, '/cwd')).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });
});
