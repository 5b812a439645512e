/** Why keys cannot be had, as one sentence for people. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure';
}
