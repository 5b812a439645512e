import { describe, expect, it } from '@jest/globals';
import { parseAddress, parseArguments, UsageError } from './config.js';

describe('the command line of pilot', () => {
  it('listens on loopback unless told otherwise', () => {
    expect(parseArguments(['--config-dir', 'a', '--config-dir', 'b'])).toEqual({
      configDirs: ['a', 'b'],
      xds: '127.0.0.1:15010',
      admin: '127.0.0.1:15014',
      drainMs: 3000,
      meshConfigFile: undefined,
    });
  });

  it('takes addresses and the drain time', () => {
    const options = parseArguments(['--config-dir', 'a', '--xds', '0.0.0.0:1', '--admin', '[::1]:2', '--drain', '0']);
    expect(options).toMatchObject({ xds: '0.0.0.0:1', admin: '[::1]:2', drainMs: 0 });
  });

  it('takes a file of the mesh config', () => {
    const options = parseArguments(['--config-dir', 'a', '--mesh-config', 'mesh.yaml']);
    expect(options).toMatchObject({ meshConfigFile: 'mesh.yaml' });
  });

  it.each([
    [[], '--config-dir is required'],
    [['--config-dir', 'a', '--xds', '15010'], "'15010' is not HOST:PORT"],
    [['--config-dir', 'a', '--admin', 'localhost:70000'], "'localhost:70000' is not HOST:PORT"],
    [['--config-dir', 'a', '--drain', 'soon'], "--drain takes milliseconds, not 'soon'"],
    [['--config-dir', 'a', '--drain=-1'], "--drain takes milliseconds, not '-1'"],
    [['--config-dir', 'a', '--verbose'], '--verbose'],
  ])('%j is told: %s', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
  });

  it.each([
    ['127.0.0.1:15010', { host: '127.0.0.1', port: 15010 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
  ])('reads the address %s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });
});
