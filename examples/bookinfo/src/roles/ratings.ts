import { readBody, type Route } from '../web/server.js';

type Ratings = Readonly<Record<string, number>>;

const initial: Ratings = { Reviewer1: 5, Reviewer2: 4 };

/** Stars a reviewer; what is posted is kept in memory. */
export function ratingsRoutes(): Route[] {
  const posted = new Map<number, Ratings>();
  return [
    { method: 'GET', path: /^\/health$/, reply: () => ({ body: { status: 'Ratings is healthy' } }) },
    {
      method: 'GET',
      path: /^\/ratings\/(\d{1,9})$/,
      reply: ({ captured: [id] }) => ({ body: { id: Number(id), ratings: posted.get(Number(id)) ?? initial } }),
    },
    {
      method: 'POST',
      path: /^\/ratings\/(\d{1,9})$/,
      reply: async ({ captured: [id], request }) => {
        const ratings = parseRatings(await readBody(request));
        if (!ratings) return { status: 400, body: { error: 'ratings are a JSON object of a number a reviewer' } };
        // A book or two is all the sample has; without a bound a loop of posts would fill the memory.
        if (posted.size >= 1000) posted.clear();
        posted.set(Number(id), ratings);
        return { body: { id: Number(id), ratings } };
      },
    },
    { method: 'GET', path: /^\/ratings/, reply: () => ({ status: 400, body: { error: 'a product id is a number' } }) },
  ];
}

function parseRatings(body: string): Ratings | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Not JSON: the caller is told so.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.values(value).every((stars) => typeof stars === 'number') ? (value as Ratings) : undefined;
}
