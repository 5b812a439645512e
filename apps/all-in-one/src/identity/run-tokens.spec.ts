import { describe, expect, it } from '@jest/globals';
import { RunTokens } from './run-tokens.js';

const reviews = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'bookinfo-reviews' };
const shown = (bearer: string | undefined) => ({ bearer, certificate: undefined });

describe('tokens of a run', () => {
  it('prove one identity, as often as it takes', async () => {
    const tokens = new RunTokens();
    const token = tokens.create(reviews);
    tokens.create({ ...reviews, serviceAccount: 'bookinfo-ratings' });
    for (let times = 0; times < 2; times++)
      expect(await tokens.authenticate(shown(token))).toEqual({ identity: reviews, by: 'run-token' });
  });

  it('are worth nothing in another run', async () => {
    const token = new RunTokens().create(reviews);
    expect(await new RunTokens().authenticate(shown(token))).toEqual({ error: expect.anything() });
  });

  it('leave other credentials to others', async () => {
    const tokens = new RunTokens();
    for (const bearer of [undefined, 'seine-join.x', 'eyJ.x.y'])
      expect(await tokens.authenticate(shown(bearer))).toBeUndefined();
  });
});
