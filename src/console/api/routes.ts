/** Every route of the API, in the order of the documents. */
import { HISTORY_ROUTES } from './history-routes.js';
import type { Route, RouteDeclaration } from './route.js';
import { SERVER_ROUTES } from './server-routes.js';
import { SESSION_ROUTES } from './session-routes.js';
import { USER_ROUTES } from './user-routes.js';
import * as schemas from './schemas.js';

/** Served by src/console/access. */
const ACCESS_ROUTES: readonly RouteDeclaration[] = [
  {
    method: 'POST',
    path: '/login',
    role: null,
    summary: 'log in with a user of the console; sets a cookie',
    command: null,
    view: 'login',
    body: schemas.credentials,
    answer: schemas.me,
  },
  {
    method: 'POST',
    path: '/logout',
    role: 'view',
    summary: 'log out',
    command: null,
    view: 'all',
    answer: schemas.nothing,
  },
  {
    method: 'GET',
    path: '/me',
    role: 'view',
    summary: 'show who is logged in, and the CSRF token',
    command: null,
    view: 'all',
    answer: schemas.me,
  },
];

/** Served by app.ts itself. */
const DESCRIPTION_ROUTE: RouteDeclaration = {
  method: 'GET',
  path: '/openapi.json',
  role: 'view',
  summary: 'this API in OpenAPI 3.1',
  command: null,
  view: null,
  answer: { contentType: 'application/json', words: 'an OpenAPI document' },
};

export const ROUTES: readonly Route[] = [...SERVER_ROUTES, ...SESSION_ROUTES, ...HISTORY_ROUTES, ...USER_ROUTES];

export const ALL_ROUTES: readonly RouteDeclaration[] = [...ACCESS_ROUTES, ...ROUTES, DESCRIPTION_ROUTE];
