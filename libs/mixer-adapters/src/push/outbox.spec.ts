import { describe, expect, it } from '@jest/globals';
import { TestContext } from '../testing/adapter.fixture.js';
import { Outbox, type OutboxOptions, Refused } from './outbox.js';

function outbox(more: Partial<OutboxOptions<string>> = {}) {
  const context = new TestContext();
  const sent: (readonly string[])[] = [];
  const state: { fail: Error | undefined } = { fail: undefined };
  const box = new Outbox<string>(
    {
      things: 'letters',
      target: 'paris',
      maxItems: 10,
      maxBatch: 4,
      send: (items) => {
        if (state.fail) return Promise.reject(state.fail);
        sent.push(items);
        return Promise.resolve();
      },
      ...more,
    },
    context,
  );
  return { box, sent, context, state };
}

const letters = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe('Outbox', () => {
  it('sends in batches, in order', async () => {
    const { box, sent } = outbox();
    box.add(letters(3));
    expect(sent).toEqual([]);
    await box.flush();
    box.add(letters(9));
    await box.flush();
    expect(sent.map((batch) => batch.join(''))).toEqual(['012', '0123', '4567', '8']);
  });

  it('sends a full batch without being told', async () => {
    const { box, sent } = outbox();
    box.add(letters(4));
    await box.flush();
    expect(sent).toEqual([letters(4)]);
  });

  it('keeps what could not be sent, waits longer each time, and says so once', async () => {
    const { box, sent, context, state } = outbox();
    state.fail = new Error('nobody home');
    box.add(['a']);
    await box.flush();
    state.fail = undefined;
    await box.flush();
    expect(sent).toEqual([]);
    context.time += 500;
    state.fail = new Error('still nobody');
    await box.flush();
    state.fail = undefined;
    context.time += 999;
    await box.flush();
    expect(sent).toEqual([]);
    context.time += 1;
    await box.flush();
    expect(sent).toEqual([['a']]);
    expect(context.warnings).toEqual(['cannot send letters to paris: nobody home; they wait, and it is tried again']);
  });

  it('is bounded: what comes beyond is dropped, counted and said', async () => {
    const { box, context, state, sent } = outbox();
    state.fail = new Error('nobody home');
    box.add(letters(13));
    await box.flush();
    expect([box.waiting, box.dropped]).toEqual([10, 3]);
    state.fail = undefined;
    context.time += 60_000;
    await box.flush();
    expect(sent.flat()).toEqual(letters(10));
    expect(context.warnings).toEqual([
      'letters for paris are dropped: they come faster than they can be sent',
      expect.stringContaining('nobody home'),
      '3 letters for paris were dropped',
    ]);
  });

  it('is bounded by size, too', async () => {
    const { box, sent } = outbox({ maxSize: 10, maxBatchSize: 5, sizeOf: ({ length }) => length });
    box.add(['aaaa', 'bb', 'ccc', 'dd', 'e']);
    expect(box.dropped).toBe(1);
    await box.flush();
    expect(sent).toEqual([['aaaa'], ['bb', 'ccc'], ['e']]);
  });

  it('lets go of what is refused, and goes on', async () => {
    const { box, sent, context, state } = outbox();
    state.fail = new Refused('paris answers 400');
    box.add(['a']);
    await box.flush();
    state.fail = undefined;
    box.add(['b']);
    await box.flush();
    expect(sent).toEqual([['b']]);
    expect(box.dropped).toBe(1);
    expect(context.warnings[0]).toBe('letters for paris are dropped: paris answers 400');
  });

  it('sends what is left at the end, and tries only once', async () => {
    const { box, sent, state } = outbox();
    box.add(['a']);
    await box.close();
    expect(sent).toEqual([['a']]);
    state.fail = new Error('nobody home');
    box.add(['b']);
    await box.close();
    expect([box.waiting, box.dropped]).toEqual([0, 1]);
  });
});
