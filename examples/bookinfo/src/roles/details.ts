import type { Route } from '../web/server.js';

/** Facts about the book, which no other service knows. */
export function detailsRoutes(): Route[] {
  return [
    { method: 'GET', path: /^\/health$/, reply: () => ({ body: { status: 'Details is healthy' } }) },
    {
      method: 'GET',
      path: /^\/details(?:\/([^/]*))?$/,
      reply: ({ captured: [id = ''] }) =>
        /^\d+$/.test(id)
          ? { body: detailsOf(Number(id)) }
          : { status: 400, body: { error: 'a product id is a number' } },
    },
  ];
}

function detailsOf(id: number): Record<string, unknown> {
  return {
    id,
    author: 'William Shakespeare',
    year: 1595,
    type: 'paperback',
    pages: 200,
    publisher: 'PublisherA',
    language: 'English',
    'ISBN-10': '1234567890',
    'ISBN-13': '123-1234567890',
  };
}
