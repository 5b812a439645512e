/** Where a certificate's time is the trouble, so may the clock be. */
export function clockHint(message: string): string {
  return /not yet valid|has expired/.test(message)
    ? ` (this machine’s clock says ${new Date().toISOString()}: is it right?)`
    : '';
}
