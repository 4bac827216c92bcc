/** Prints the table of the routes for docs/console-api.md, which scripts/documents writes. */
import { routesAsMarkdown } from './api/openapi.js';
import { ALL_ROUTES } from './api/routes.js';

process.stdout.write(`${routesAsMarkdown(ALL_ROUTES)}\n`);
