import type { AppOptions } from '../options.js';
import type { Route } from '../web/server.js';

/** Says who was reached, by which path and with which headers: what a routing rule did can be read off it. */
export function echoRoutes({ role, version, podName }: AppOptions): Route[] {
  return [
    {
      method: '*',
      path: /^/,
      reply: ({ method, path, request }) => ({
        body: { service: role, version, podname: podName, method, path, headers: request.headers },
      }),
    },
  ];
}
