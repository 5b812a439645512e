import type { IncomingMessage } from 'node:http';
import type { AppOptions } from '../options.js';
import type { CallService } from '../web/call.js';
import { headersToHandOn } from '../web/request-headers.js';
import { readBody, type Reply, type Route } from '../web/server.js';
import { renderPage, style } from './page.js';
import { type Backends, createBackends } from './productpage-backends.js';
import { userOf, withoutUser, withUser } from './session.js';

const products = [
  {
    id: 0,
    title: 'The Comedy of Errors',
    descriptionHtml: 'A merchant, two sets of twins parted by a shipwreck, and a town that takes each for the other.',
  },
] as const;

/** The page people look at, and the API beside it. */
export function productpageRoutes(options: AppOptions, call: CallService): Route[] {
  const backends = createBackends(options, call);
  return [
    { method: 'GET', path: /^\/health$/, reply: () => ({ body: 'Product page is healthy' }) },
    { method: 'GET', path: /^\/(?:index\.html)?$/, reply: () => redirect('/productpage') },
    { method: 'GET', path: /^\/productpage$/, reply: ({ request }) => page(request, backends) },
    { method: 'GET', path: /^\/static\/style\.css$/, reply: () => ({ body: style, contentType: 'text/css' }) },
    {
      method: 'POST',
      path: /^\/login$/,
      reply: async ({ request }) => {
        const user = new URLSearchParams(await readBody(request)).get('username')?.trim() ?? '';
        return redirect('/productpage', user === '' ? withoutUser() : withUser(user));
      },
    },
    { method: 'GET', path: /^\/logout$/, reply: () => redirect('/productpage', withoutUser()) },
    { method: 'GET', path: /^\/api\/v1\/products$/, reply: () => ({ body: products }) },
    {
      method: 'GET',
      path: /^\/api\/v1\/products\/(\d{1,9})(?:\/(reviews|ratings))?$/,
      reply: ({ captured: [id = '0', part], request }) =>
        backends[part === 'reviews' || part === 'ratings' ? part : 'details'](id, outgoing(request)),
    },
  ];
}

/** Headers of calls made for this request; who has logged in is named by `end-user`, which routing rules test. */
function outgoing(request: IncomingMessage): Record<string, string> {
  const headers = headersToHandOn(request.headers);
  const user = userOf(request.headers.cookie);
  return user === undefined ? headers : { ...headers, 'end-user': user };
}

async function page(request: IncomingMessage, backends: Backends): Promise<Reply> {
  const headers = outgoing(request);
  const [details, reviews] = await Promise.all([backends.details('0', headers), backends.reviews('0', headers)]);
  return { body: renderPage({ product: products[0], details, reviews, user: userOf(request.headers.cookie) }) };
}

function redirect(location: string, cookie?: string): Reply {
  return { status: 302, headers: { location, ...(cookie !== undefined && { 'set-cookie': cookie }) }, body: '' };
}
