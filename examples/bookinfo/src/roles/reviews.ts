import type { AppOptions } from '../options.js';
import type { Answer, CallService } from '../web/call.js';
import { headersToHandOn } from '../web/request-headers.js';
import type { Route } from '../web/server.js';

type Rating = { readonly stars: number; readonly color: string } | { readonly error: string };

/** What tells the versions apart: whether they show stars, in which colour, and how long they wait for them (ms). */
const versions: Readonly<Record<string, { readonly color: string; readonly timeoutMs: number }>> = {
  v2: { color: 'black', timeoutMs: 10_000 },
  v3: { color: 'red', timeoutMs: 2500 },
};

const reviewers = [
  {
    reviewer: 'Reviewer1',
    text: 'Two pairs of twins, one day, and nobody is who they seem. I laughed from start to end.',
  },
  { reviewer: 'Reviewer2', text: 'Light and quick. It has not the weight of the later plays, and does not miss it.' },
] as const;

/** The reviews; versions 2 and 3 ask `ratings` for the stars. */
export function reviewsRoutes(options: AppOptions, call: CallService): Route[] {
  return [
    { method: 'GET', path: /^\/health$/, reply: () => ({ body: { status: 'Reviews is healthy' } }) },
    {
      method: 'GET',
      path: /^\/reviews\/(\d{1,9})$/,
      reply: async ({ captured: [id = '0'], request }) => {
        const shown = versions[options.version];
        const ratingOf = shown && (await ratings(id, shown, headersToHandOn(request.headers), options, call));
        return {
          body: {
            id,
            podname: options.podName,
            clustername: 'null',
            reviews: reviewers.map((review) => ({ ...review, ...(ratingOf && { rating: ratingOf(review.reviewer) }) })),
          },
        };
      },
    },
  ];
}

async function ratings(
  id: string,
  { color, timeoutMs }: { readonly color: string; readonly timeoutMs: number },
  headers: Readonly<Record<string, string>>,
  { proxy, servicePort }: AppOptions,
  call: CallService,
): Promise<(reviewer: string) => Rating> {
  const url = `http://ratings:${servicePort}/ratings/${id}`;
  // Reviews without stars are better than no reviews: whatever goes wrong is said in their place.
  const answer = await call({ url, headers, timeoutMs, proxy }).catch((): undefined => undefined);
  const stars = answer?.status === 200 ? starsOf(answer) : undefined;
  return (reviewer) =>
    stars?.[reviewer] === undefined
      ? { error: 'Ratings service is currently unavailable' }
      : { stars: stars[reviewer], color };
}

function starsOf({ body }: Answer): Readonly<Record<string, number>> | undefined {
  try {
    return (JSON.parse(body) as { ratings?: Record<string, number> }).ratings;
  } catch {
    // Somebody else answered in place of ratings: as good as no answer.
    return undefined;
  }
}
