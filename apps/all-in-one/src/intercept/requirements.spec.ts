import { describe, expect, it } from '@jest/globals';
import { hasCommand } from './has-command.js';
import { checkRequirements, type Machine } from './requirements.js';

const fit: Machine = {
  platform: 'linux',
  uid: 0,
  has: () => Promise.resolve(true),
  addresses: ['127.0.0.1', '10.2.0.3'],
};

describe('what --intercept needs', () => {
  it('is there on a Linux with root', async () => {
    await expect(checkRequirements(fit)).resolves.toBeUndefined();
  });

  it.each<[string, Partial<Machine>, string]>([
    [
      'another system',
      { platform: 'darwin' },
      '--intercept needs Linux (network namespaces, iptables); this is darwin.',
    ],
    [
      'a user',
      { uid: 1000 },
      '--intercept needs root (network namespaces, iptables): start it with sudo, or without --intercept.',
    ],
    [
      'no iptables',
      { has: (command) => Promise.resolve(command !== 'iptables-restore') },
      '--intercept needs iptables-restore, which is not in PATH: apt-get install iptables.',
    ],
    [
      'an address in the network',
      { addresses: ['10.203.0.7'] },
      '--intercept needs the network 10.203.0.0/24, and this machine has the address 10.203.0.7 in it already.',
    ],
  ])('is not there with %s: one sentence', async (_what, machine, sentence) => {
    await expect(checkRequirements({ ...fit, ...machine })).rejects.toThrow(sentence);
  });

  it.each([
    ['sh', true],
    ['no-such-command-at-all', false],
  ])('looks %s up in PATH: %s', async (command, found) => {
    expect(await hasCommand(command)).toBe(found);
  });
});
