import { describe, expect, it } from '@jest/globals';
import { ErrorCode } from './frames.js';
import { HpackDecoder } from './hpack-decoder.js';
import { decodeHuffman } from './huffman.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const lines = (decoder: HpackDecoder, block: string) =>
  decoder.decode(hex(block), 1 << 16).headers.map(([name, value]) => `${name}: ${value}`);

const firstRequest = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const thirdRequest = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
];
const response = (status: string, date: string) => [
  `:status: ${status}`,
  'cache-control: private',
  `date: ${date}`,
  'location: https://www.example.com',
];

describe('HpackDecoder on the examples of RFC 7541, Appendix C', () => {
  it.each([
    [
      'C.2.1 literal with indexing',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key: custom-header'],
    ],
    ['C.2.2 literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']],
    ['C.2.3 literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']],
    ['C.2.4 indexed', '82', [':method: GET']],
  ])('%s', (_name, block, expected) => {
    expect(lines(new HpackDecoder(), block)).toEqual(expected);
  });

  it.each([
    [
      'C.3 requests without Huffman',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4 requests with Huffman',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('%s', (_name, blocks) => {
    const decoder = new HpackDecoder();
    const decoded = blocks.map((block) => lines(decoder, block));
    expect(decoded).toEqual([firstRequest, [...firstRequest, 'cache-control: no-cache'], thirdRequest]);
  });

  it.each([
    [
      'C.5 responses without Huffman',
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'C.6 responses with Huffman',
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ])('%s, with a table of 256 bytes that evicts', (_name, blocks) => {
    const decoder = new HpackDecoder();
    // A table size update to 256, as SETTINGS_HEADER_TABLE_SIZE would have said it.
    const [first = '', ...rest] = blocks;
    const decoded = [`3fe101${first}`, ...rest].map((block) => lines(decoder, block));
    expect(decoded).toEqual([
      response('302', 'Mon, 21 Oct 2013 20:13:21 GMT'),
      response('307', 'Mon, 21 Oct 2013 20:13:21 GMT'),
      [
        ':status: 200',
        'cache-control: private',
        'date: Mon, 21 Oct 2013 20:13:22 GMT',
        'location: https://www.example.com',
        'content-encoding: gzip',
        'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
      ],
    ]);
  });
});

describe('HpackDecoder on wrong blocks', () => {
  it.each([
    ['index 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name index beyond both tables', '7f00 0161'],
    ['an integer without end', 'ff80 8080 8080 01'],
    ['an integer that is cut off', 'ff'],
    ['a string that is cut off', '400a 6375'],
    ['a literal without value', '4001 61'],
    ['a table over the limit', '3fe2 1f'],
    ['a table size update after a field', '8220'],
    ['Huffman padding longer than 7 bits', '0001 6182 1fff'],
    ['Huffman padding of zeros', '0001 6181 18'],
    ['Huffman end of string', '0001 6184 ffff ffff'],
  ])('%s is an error of compression', (_name, block) => {
    expect(() => new HpackDecoder().decode(hex(block), 1000)).toThrow(
      expect.objectContaining({ code: ErrorCode.COMPRESSION_ERROR, streamId: 0 }),
    );
  });

  it('drops what exceeds the list limit, and keeps the state', () => {
    const decoder = new HpackDecoder();
    const block = '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572';
    expect(decoder.decode(hex(block), 40)).toEqual({ headers: [], oversized: true });
    expect(lines(decoder, 'be')).toEqual(['custom-key: custom-header']);
  });

  it('forgets everything when the table shrinks to nothing', () => {
    const decoder = new HpackDecoder();
    lines(decoder, '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572');
    expect(() => lines(decoder, '20be')).toThrow('no header with index 62');
  });
});

describe('decodeHuffman', () => {
  it.each([
    ['', ''],
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
    ['a8eb 1064 9cbf', 'no-cache'],
    // The longest codes: 0x0a and 0x0d have 30 bits, 0xf9 has 28.
    ['ffff fff3', '\n'],
    ['ffff fff7', '\r'],
    ['ffff ffef', '\xf9'],
  ])('%s', (coded, text) => {
    expect(decodeHuffman(hex(coded))).toBe(text);
  });
});
