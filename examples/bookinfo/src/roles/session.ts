const cookieName = 'bookinfo_user';

/** Who has logged in. The sample knows no passwords: the name is all there is to it. */
export function userOf(cookieHeader: string | undefined): string | undefined {
  for (const pair of (cookieHeader ?? '').split(';')) {
    const [name = '', ...value] = pair.trim().split('=');
    if (name === cookieName) return decode(value.join('='));
  }
  return undefined;
}

function decode(text: string): string | undefined {
  try {
    const user = decodeURIComponent(text);
    // It becomes a header's value, where control characters would be refused.
    return /^[\x20-\x7e]{1,100}$/.test(user) ? user : undefined;
  } catch {
    // Not what withUser wrote: nobody has logged in.
    return undefined;
  }
}

export function withUser(user: string): string {
  return `${cookieName}=${encodeURIComponent(user)}; Path=/; HttpOnly; SameSite=Lax`;
}

export function withoutUser(): string {
  return `${cookieName}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`;
}
