/** Why a module cannot be had, as one sentence for people. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure';

  /**
   * @param permanent trying again gives the same: the address is wrong, or the content is not what was asked for
   */
  constructor(
    message: string,
    readonly permanent = false,
  ) {
    super(message);
  }
}
