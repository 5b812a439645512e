/** An expression that cannot be used: what is wrong, and where; `offset` counts characters from 0. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}
