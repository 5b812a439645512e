/** What went wrong, in words. `fetch failed` says nothing: its cause does. */
export function reasonOf(error: unknown): string {
  const { message = String(error), cause } = error as { readonly message?: string; readonly cause?: unknown };
  const { message: deeper = '' } = (cause ?? {}) as { readonly message?: string };
  return deeper === '' ? message : `${message}: ${deeper}`;
}
