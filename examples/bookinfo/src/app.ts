import type { Server } from 'node:http';
import type { AppOptions, Role } from './options.js';
import { detailsRoutes } from './roles/details.js';
import { echoRoutes } from './roles/echo.js';
import { productpageRoutes } from './roles/productpage.js';
import { ratingsRoutes } from './roles/ratings.js';
import { reviewsRoutes } from './roles/reviews.js';
import { type CallService, callService } from './web/call.js';
import { createHttpServer, type Route } from './web/server.js';

const routes: Readonly<Record<Role, (options: AppOptions, call: CallService) => Route[]>> = {
  productpage: productpageRoutes,
  details: detailsRoutes,
  reviews: reviewsRoutes,
  ratings: ratingsRoutes,
  service1: echoRoutes,
  service2: echoRoutes,
};

export function routesOf(options: AppOptions, call: CallService): Route[] {
  return routes[options.role](options, call);
}

/** One service of the sample, not listening yet. */
export function createApp(options: AppOptions, call: CallService = callService): Server {
  return createHttpServer(routesOf(options, call));
}
