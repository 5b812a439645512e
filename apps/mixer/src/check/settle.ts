export type MaybeLater<T> = T | Promise<T>;

/** Goes on at once where all values are there, so that what needs no waiting makes no promises. */
export function settle<T, R>(
  values: readonly MaybeLater<T>[],
  then: (values: readonly T[]) => MaybeLater<R>,
): MaybeLater<R> {
  if (values.some((value) => value instanceof Promise)) return Promise.all(values).then(then);
  return then(values as readonly T[]);
}
