import { describe, expect, it } from '@jest/globals';
import { Deframer, messagePrefix } from './framing.js';

function deframe(chunks: readonly Buffer[], limit = 100_000) {
  const messages: string[] = [];
  const deframer = new Deframer(limit, (message) => messages.push(message.toString()));
  const problems = chunks.map((chunk) => deframer.push(chunk));
  return { messages, problem: problems.find((p) => p !== undefined), pending: deframer.pending };
}
const framed = (text: string) => Buffer.concat([messagePrefix(text.length), Buffer.from(text)]);

describe('Deframer', () => {
  const texts = ['', 'a', 'hello', 'x'.repeat(5000), '', 'end'];
  const whole = Buffer.concat(texts.map(framed));

  it.each([1, 2, 3, 4, 5, 6, 7, 100, 4999, 5005, 100_000])('joins chunks of %d bytes', (size) => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
    expect(deframe(chunks)).toEqual({ messages: texts, problem: undefined, pending: 0 });
  });

  it.each([
    ['compressed', Buffer.from([1, 0, 0, 0, 0])],
    ['too-large', messagePrefix(100_001)],
  ])('%s is found at the prefix', (problem, bytes) => {
    expect(deframe([framed('first'), bytes])).toMatchObject({ messages: ['first'], problem });
    expect(deframe([bytes.subarray(0, 2), bytes.subarray(2)])).toMatchObject({ problem });
  });

  it('says what it holds of an unfinished message', () => {
    expect(deframe([Buffer.concat([framed('one'), messagePrefix(50_000), Buffer.alloc(10)])])).toMatchObject({
      messages: ['one'],
      pending: 15,
    });
  });
});
