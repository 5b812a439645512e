import { describe, expect, it } from '@jest/globals';
import { addressRules } from './address-rules.js';

const none = { allow: [], block: [], own: () => [] };

describe('addressRules', () => {
  const refusal = addressRules({ ...none, own: () => ['10.1.2.3'] });

  it.each([
    ['127.0.0.1', 'a loopback address'],
    ['127.255.255.254', 'a loopback address'],
    ['::1', 'a loopback address'],
    ['::ffff:127.0.0.1', 'a loopback address'],
    ['::ffff:7f00:1', 'a loopback address'],
    ['64:ff9b::127.0.0.1', 'a loopback address'],
    ['::127.0.0.1', 'a loopback address'],
    ['2002:7f00:1::', 'a loopback address'],
    ['0.0.0.0', 'no address of a host'],
    ['::', 'no address of a host'],
    ['224.0.0.1', 'no address of a host'],
    ['255.255.255.255', 'no address of a host'],
    ['ff02::1', 'no address of a host'],
    ['169.254.169.254', 'a link-local address'],
    ['64:ff9b::a9fe:a9fe', 'a link-local address'],
    ['fe80::1', 'a link-local address'],
    ['100.100.100.200', 'the metadata service of a cloud'],
    ['fd00:ec2::254', 'the metadata service of a cloud'],
    ['10.1.2.3', 'an address of pilot itself'],
    ['::ffff:10.1.2.3', 'an address of pilot itself'],
  ])('J-13: refuses %s: %s', (address, what) => expect(refusal(address)).toBe(what));

  it.each(['10.1.2.4', '192.168.1.1', 'fd00::1', '8.8.8.8', '2606:4700::1111', '64:ff9b::8.8.8.8', '169.253.0.1'])(
    'lets %s be asked',
    (address) => expect(refusal(address)).toBeUndefined(),
  );

  it('makes exceptions that are asked for, and blocks what is', () => {
    const rules = addressRules({ ...none, allow: ['127.0.0.0/30', '::1'], block: ['10.0.0.0/8', '127.0.0.3'] });
    expect(['127.0.0.1', '::1', '192.168.0.1'].map(rules)).toEqual([undefined, undefined, undefined]);
    expect(rules('127.0.0.5')).toBe('a loopback address');
    for (const blocked of ['10.1.1.1', '127.0.0.3', '::ffff:10.1.1.1', '64:ff9b::10.1.1.1'])
      expect(rules(blocked)).toBe('in a block that is not to be asked');
  });

  it.each(['here', '10.0.0.0/33', '10.0.0.0/a', '', '10.0.0.0/8/8'])('says that %p is no block', (block) => {
    expect(() => addressRules({ ...none, block: [block] })).toThrow(TypeError);
  });
});
