/** Identities that are revoked: certificates of theirs are in force still, and yet count for nothing. */
export interface DenyList {
  isDenied(spiffeId: string): boolean;
  /** @param listener is called after each change @returns ends it */
  onChange(listener: () => void): () => void;
}
