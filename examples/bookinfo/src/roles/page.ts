import type { BackendReply } from './productpage-backends.js';

export interface PageContent {
  readonly product: { readonly title: string; readonly descriptionHtml: string };
  readonly details: BackendReply;
  readonly reviews: BackendReply;
  readonly user: string | undefined;
}

interface Review {
  readonly reviewer: string;
  readonly text: string;
  readonly rating?: { readonly stars?: number; readonly color?: string; readonly error?: string };
}

/** The product page as HTML. */
export function renderPage({ product, details, reviews, user }: PageContent): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(product.title)}</title>
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header><strong>Bookinfo</strong>${renderUser(user)}</header>
<main>
<h1>${escape(product.title)}</h1>
<p>${product.descriptionHtml}</p>
<section><h2>Book Details</h2>${renderDetails(details)}</section>
<section><h2>Book Reviews</h2>${renderReviews(reviews)}</section>
</main>
</body>
</html>
`;
}

function renderUser(user: string | undefined): string {
  if (user !== undefined) return `<span>${escape(user)} <a href="/logout">sign out</a></span>`;
  return (
    '<form method="post" action="/login"><input name="username" placeholder="user name" aria-label="user name" required> ' +
    '<button>Sign in</button></form>'
  );
}

function renderDetails({ status, body }: BackendReply): string {
  if (status !== 200) return renderError('details', body);
  const rows = Object.entries(body as Record<string, unknown>)
    .filter(([name]) => name !== 'id')
    .map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(String(value))}</dd>`);
  return `<dl>${rows.join('')}</dl>`;
}

function renderReviews({ status, body }: BackendReply): string {
  if (status !== 200) return renderError('reviews', body);
  const { podname, reviews } = body as { podname?: string; reviews?: readonly Review[] };
  const served = `<p class="served">Reviews served by <code>${escape(podname ?? 'unknown')}</code></p>`;
  return (reviews ?? []).map(renderReview).join('') + served;
}

function renderReview({ reviewer, text, rating }: Review): string {
  return `<blockquote><p>${escape(text)}</p><footer>${escape(reviewer)} ${renderRating(rating)}</footer></blockquote>`;
}

const maxStars = 5;

function renderRating(rating: Review['rating']): string {
  if (!rating) return '<span class="stars none">no ratings in this version</span>';
  if (rating.stars === undefined) return `<span class="stars none">${escape(rating.error ?? '')}</span>`;
  const full = Math.max(0, Math.min(maxStars, Math.round(rating.stars)));
  const color = rating.color === 'red' ? 'red' : 'black';
  const stars = '★'.repeat(full) + '☆'.repeat(maxStars - full);
  return `<span class="stars ${color}" title="${full} of ${maxStars} stars">${stars}</span>`;
}

function renderError(what: string, body: unknown): string {
  const { error } = body as { error?: string };
  return `<p class="error"><strong>Error fetching product ${what}!</strong><br>${escape(error ?? '')}</p>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const style = `:root { font: 16px/1.5 system-ui, sans-serif; color: #222; }
body { margin: 0; background: #f6f7f9; }
header { display: flex; justify-content: space-between; align-items: center; padding: .6rem 1.5rem; background: #16425b; color: #fff; }
header a { color: #fff; }
main { max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; display: grid; grid-template-columns: 1fr 2fr; gap: 1rem; }
h1, main > p { grid-column: 1 / -1; margin: 0; }
section { background: #fff; border-radius: .5rem; padding: 1rem 1.25rem; box-shadow: 0 1px 3px #0002; }
h2 { margin-top: 0; font-size: 1.1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: #666; }
dd { margin: 0; }
blockquote { margin: 0 0 1rem; border-left: 4px solid #cbd5df; padding-left: 1rem; }
blockquote p { margin: 0; }
.stars { font-size: 1.6rem; letter-spacing: .1em; }
.stars.red { color: #d11a2a; }
.stars.black { color: #000; }
.stars.none { font-size: .9rem; color: #777; letter-spacing: 0; }
.served { margin: 0; color: #555; }
.error { color: #a4161a; }
`;
