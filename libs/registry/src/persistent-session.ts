import type { MeshService } from '@seine/model';

const cookieLabel = 'istio.io/persistent-session';
const headerLabel = 'istio.io/persistent-session-header';

/** Istio's labels of a service whose clients stay at one endpoint: `cookie-name` or `cookie-name:/path`, else a header. */
export function sessionOf(labels: Readonly<Record<string, string>>): Pick<MeshService, 'persistentSession'> {
  const cookie = labels[cookieLabel];
  const header = labels[headerLabel];
  if (cookie) {
    const colon = cookie.indexOf(':');
    const [name, path] = colon < 0 ? [cookie, '/'] : [cookie.slice(0, colon), cookie.slice(colon + 1)];
    return name ? { persistentSession: { cookie: { name, path } } } : {};
  }
  return header ? { persistentSession: { header } } : {};
}
