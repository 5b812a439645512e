import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { routesOf } from './app.js';
import { type AppOptions, parseOptions, type Role } from './options.js';
import type { Answer, Call, CallService } from './web/call.js';
import { answerRequest, type Reply } from './web/server.js';

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly call?: CallService;
}

const nobody: CallService = () => Promise.reject(new Error('refused'));
const option = (role: Role, version = 'v1', more: Partial<AppOptions> = {}): AppOptions => ({
  ...parseOptions([role], { VERSION: version, POD_NAME: `${role}-${version}-abc` }),
  ...more,
});

function ask(
  options: AppOptions,
  url: string,
  { method = 'GET', headers = {}, body = '', call = nobody }: Asked = {},
): Promise<Reply> {
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    method,
    url,
    headers,
  }) as unknown as IncomingMessage;
  return answerRequest(routesOf(options, call), request);
}

/** Answers by URL, and remembers the calls. */
function fakeMesh(answers: Readonly<Record<string, Answer>>): { calls: Call[]; call: CallService } {
  const calls: Call[] = [];
  return {
    calls,
    call: (made) => {
      calls.push(made);
      const answer = answers[made.url];
      return answer ? Promise.resolve(answer) : Promise.reject(new Error('refused'));
    },
  };
}

const stars: Answer = { status: 200, body: JSON.stringify({ id: 0, ratings: { Reviewer1: 5, Reviewer2: 4 } }) };
const ratingsUrl = 'http://ratings:9080/ratings/0';
const reviewsUrl = 'http://reviews:9080/reviews/0';
const detailsUrl = 'http://details:9080/details/0';
const details: Answer = { status: 200, body: JSON.stringify({ id: 0, author: 'A <b>' }) };

describe('reviews', () => {
  it.each([
    ['v1', undefined, 0],
    ['v2', { stars: 5, color: 'black' }, 10_000],
    ['v3', { stars: 5, color: 'red' }, 2500],
  ])('%s rates by %j, waiting %i ms', async (version, rating, timeoutMs) => {
    const { calls, call } = fakeMesh({ [ratingsUrl]: stars });
    const { body } = await ask(option('reviews', version), '/reviews/0', { call });
    expect(body).toMatchObject({ id: '0', podname: `reviews-${version}-abc`, clustername: 'null' });
    const { reviews } = body as { reviews: { reviewer: string; rating?: unknown }[] };
    expect(reviews.map((r) => r.reviewer)).toEqual(['Reviewer1', 'Reviewer2']);
    expect(reviews[0]?.rating).toEqual(rating);
    expect(calls.map((made) => made.timeoutMs)).toEqual(timeoutMs === 0 ? [] : [timeoutMs]);
  });

  it.each<[string, Readonly<Record<string, Answer>>]>([
    ['nobody answers', {}],
    ['ratings fails', { [ratingsUrl]: { status: 500, body: 'fault filter abort' } }],
    ['the answer is no JSON', { [ratingsUrl]: { status: 200, body: '<html>' } }],
  ])('says so in the place of stars when %s', async (_what, answers) => {
    const { call } = fakeMesh(answers);
    const { status, body } = await ask(option('reviews', 'v2'), '/reviews/0', { call });
    expect(status ?? 200).toBe(200);
    expect(body).toMatchObject({
      reviews: [{ rating: { error: 'Ratings service is currently unavailable' } }, { reviewer: 'Reviewer2' }],
    });
  });
});

describe('headers of calls', () => {
  const headers = {
    'x-request-id': 'r1',
    'x-b3-traceid': 't',
    traceparent: '00-1-2-01',
    'user-agent': 'agent',
    'end-user': 'jason',
    'x-private': 'stays',
  };
  const handedOn = {
    'x-request-id': 'r1',
    'x-b3-traceid': 't',
    traceparent: '00-1-2-01',
    'user-agent': 'agent',
    'end-user': 'jason',
  };

  it.each<[Role, string, string]>([
    ['reviews', 'v3', '/reviews/0'],
    ['productpage', 'v1', '/api/v1/products/0'],
  ])('%s hands on those of tracing and of the user', async (role, version, url) => {
    const { calls, call } = fakeMesh({});
    await ask(option(role, version), url, { headers, call });
    expect(calls.map((made) => made.headers)).toEqual([handedOn]);
  });

  it('go through the sidecar', async () => {
    const { calls, call } = fakeMesh({});
    const proxy = new URL('http://127.20.1.1:15007');
    await ask(option('productpage', 'v1', { proxy }), '/api/v1/products/0', { call });
    expect(calls).toMatchObject([{ url: detailsUrl, proxy }]);
  });
});

describe('productpage', () => {
  const page = option('productpage');

  it.each<[string, string, string, number]>([
    ['/api/v1/products/0', 'details', detailsUrl, 1],
    ['/api/v1/products/0/reviews', 'reviews', reviewsUrl, 2],
    ['/api/v1/products/0/ratings', 'ratings', ratingsUrl, 1],
  ])('%s asks %s and passes its status on', async (url, name, backend, attempts) => {
    const { calls, call } = fakeMesh({ [backend]: { status: 403, body: 'RBAC: access denied' } });
    expect(await ask(page, url, { call })).toEqual({
      status: 403,
      body: { error: `Sorry, product ${name} are currently unavailable for this book.` },
    });
    expect(calls.map((made) => [made.url, made.timeoutMs])).toEqual(Array(attempts).fill([backend, 3000]));
  });

  it('answers 500 when nobody does', async () => {
    expect(await ask(page, '/api/v1/products/0/reviews')).toMatchObject({ status: 500 });
  });

  it('lists the products', async () => {
    expect(await ask(page, '/api/v1/products')).toMatchObject({ body: [{ id: 0, title: 'The Comedy of Errors' }] });
  });

  it.each([
    ['black', 'reviews-v2-abc', { stars: 4, color: 'black' }, 'class="stars black" title="4 of 5 stars">★★★★☆'],
    ['red', 'reviews-v3-abc', { stars: 5, color: 'red' }, 'class="stars red" title="5 of 5 stars">★★★★★'],
    ['no', 'reviews-v1-abc', undefined, 'class="stars none"'],
    ['missing', 'reviews-v3-abc', { error: 'gone' }, 'class="stars none">gone'],
  ])('shows %s stars and who served them', async (_what, podname, rating, shown) => {
    const reviews = {
      status: 200,
      body: JSON.stringify({ podname, reviews: [{ reviewer: 'R', text: '<i>', rating }] }),
    };
    const { call } = fakeMesh({ [detailsUrl]: details, [reviewsUrl]: reviews });
    const { body } = await ask(page, '/productpage', { call });
    expect(body).toContain(shown);
    expect(body).toContain(`<code>${podname}</code>`);
    expect(body).toContain('A &#60;b&#62;');
    expect(body).not.toContain('<i>');
  });

  it('says what is missing', async () => {
    const { body } = await ask(page, '/productpage');
    expect(body).toContain('Sorry, product reviews are currently unavailable for this book.');
    expect(body).toContain('Sorry, product details are currently unavailable for this book.');
  });

  it('signs in, calls in the name of the user, and signs out', async () => {
    const login = await ask(page, '/login', { method: 'POST', body: 'username=jason&passwd=x' });
    expect(login).toMatchObject({ status: 302, headers: { location: '/productpage' } });
    const cookie = String(login.headers?.['set-cookie']).split(';')[0] ?? '';
    const { calls, call } = fakeMesh({});
    const shown = await ask(page, '/productpage', { headers: { cookie }, call });
    expect(shown.body).toContain('jason <a href="/logout">');
    expect(new Set(calls.map((made) => made.headers['end-user']))).toEqual(new Set(['jason']));
    const logout = await ask(page, '/logout', { headers: { cookie } });
    expect(logout.headers?.['set-cookie']).toContain('Max-Age=0');
  });

  it.each(['a%0d%0ax: y', '%', 'bookinfo'])('takes the cookie %s for a name or for nothing', async (value) => {
    const { calls, call } = fakeMesh({});
    await ask(page, '/api/v1/products/0', { headers: { cookie: `bookinfo_user=${value}` }, call });
    expect(calls[0]?.headers['end-user']).toBe(value === 'bookinfo' ? 'bookinfo' : undefined);
  });
});

describe('the other services', () => {
  it.each<[Role, string, Asked, object]>([
    ['details', '/details/0', {}, { body: { id: 0, author: 'William Shakespeare' } }],
    ['details', '/details/x', {}, { status: 400 }],
    ['ratings', '/ratings/0', {}, { body: { id: 0, ratings: { Reviewer1: 5, Reviewer2: 4 } } }],
    ['ratings', '/ratings/x', {}, { status: 400 }],
    [
      'ratings',
      '/ratings/0',
      { method: 'POST', body: '{"Reviewer1":1}' },
      { body: { id: 0, ratings: { Reviewer1: 1 } } },
    ],
    ['ratings', '/ratings/0', { method: 'POST', body: '[1]' }, { status: 400 }],
    ['ratings', '/ratings/0', { method: 'POST', body: '{' }, { status: 400 }],
    ['ratings', '/ratings/0', { method: 'DELETE' }, { status: 405 }],
    ['reviews', '/elsewhere', {}, { status: 404 }],
    [
      'service1',
      '/service1/any?x=1',
      { method: 'PUT', headers: { a: 'b' } },
      { body: { service: 'service1', path: '/service1/any', method: 'PUT', headers: { a: 'b' } } },
    ],
    ['service2', '/', {}, { body: { service: 'service2', podname: 'service2-v1-abc' } }],
    ['productpage', '/health', {}, { body: 'Product page is healthy' }],
    ['details', '/health', {}, { body: { status: 'Details is healthy' } }],
    ['ratings', '/health', {}, { body: { status: 'Ratings is healthy' } }],
    ['reviews', '/health', {}, { body: { status: 'Reviews is healthy' } }],
  ])('%s answers %s %j', async (role, url, asked, reply) => {
    expect(await ask(option(role), url, asked)).toMatchObject(reply);
  });

  it('keeps what was posted', async () => {
    const routes = routesOf(option('ratings'), nobody);
    const send = (method: string, body: string): Promise<Reply> =>
      answerRequest(
        routes,
        Object.assign(Readable.from([Buffer.from(body)]), {
          method,
          url: '/ratings/7',
          headers: {},
        }) as unknown as IncomingMessage,
      );
    await send('POST', '{"Reviewer1":2}');
    expect(await send('GET', '')).toEqual({ body: { id: 7, ratings: { Reviewer1: 2 } } });
  });

  it('takes no large body', async () => {
    const body = 'x'.repeat(65 * 1024);
    await expect(ask(option('ratings'), '/ratings/0', { method: 'POST', body })).rejects.toThrow('larger than');
  });
});

describe('options', () => {
  it.each([
    [['nothing'], {}, "not 'nothing'"],
    [['details'], { PORT: 'x' }, 'PORT is a port'],
    [['details'], { PORT: '70000' }, 'PORT is a port'],
    [['details'], { SEINE_HTTP_PROXY: 'ftp://x' }, 'http:// URL'],
  ])('%j with %j are refused: %s', (argv, env, message) => {
    expect(() => parseOptions(argv, env)).toThrow(message);
  });

  it('have the ports of the original', () => {
    expect(parseOptions(['details'], {})).toMatchObject({ port: 9080, servicePort: 9080, host: '127.0.0.1' });
  });
});
