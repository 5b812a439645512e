/** A fixed number of places that names are spread over. */

/** FNV-1a, 32 bits, of the UTF-16 code units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/**
 * Gives each name a place from 0 to `size` - 1: its hash, or the next free place; names are served in sorted order.
 * The same names always get the same places, and a name that comes or goes moves only those that collide with it.
 * Names for which nothing is left get none.
 */
export function allocatePlaces(names: Iterable<string>, size: number): ReadonlyMap<string, number> {
  const owners = new Map<number, string>();
  const places = new Map<string, number>();
  for (const name of [...new Set(names)].sort()) {
    if (owners.size >= size) break;
    let place = hash(name) % size;
    while (owners.has(place)) place = (place + 1) % size;
    owners.set(place, name);
    places.set(name, place);
  }
  return places;
}
