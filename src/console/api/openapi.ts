/** The description of the API in OpenAPI 3.1, and its table for the documents, made of the routes. Pure. */
import * as z from 'zod';
import { version } from '../../host/version.js';
import type { AnswerKind, RouteDeclaration } from './route.js';
import { apiError } from './schemas.js';

type Json = Readonly<Record<string, unknown>>;

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

const isSchema = (answer: AnswerKind): answer is z.ZodType => 'safeParse' in answer;

const jsonContent = (schema: Json): Json => ({ 'application/json': { schema } });

/** The parameters of a place: each property of the schema is one. */
function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Json;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

const answerOf = (answer: AnswerKind): Json =>
  isSchema(answer)
    ? { description: 'done', content: jsonContent(jsonSchema(answer, 'output')) }
    : { description: answer.words, content: { [answer.contentType]: {} } };

function operationOf({ path, method, role, summary, parameters, query, body, answer }: RouteDeclaration): Json {
  const inputs = [...parametersOf(parameters, 'path'), ...parametersOf(query, 'query')];
  return {
    operationId: `${method} ${path}`.replaceAll(/[^A-Za-z]+(.)?/g, (_, next: string | undefined) =>
      (next ?? '').toUpperCase(),
    ),
    summary,
    ...(role === null ? { security: [] } : { description: `Needs the role ${role}.` }),
    ...(inputs.length === 0 ? {} : { parameters: inputs }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonContent(jsonSchema(body, 'input')) } }),
    responses: { 200: answerOf(answer), default: { $ref: '#/components/responses/error' } },
  };
}

export function openApiOf(routes: readonly RouteDeclaration[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const each of routes) {
    const methods = (paths[each.path] ??= {});
    methods[each.method.toLowerCase()] = operationOf(each);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'pptpd-ts console', version },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Made by `pptpd-ts console token add`.' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'pptpd-ts-console',
          description:
            'Set by POST /login. Every request that is not GET then needs the header X-CSRF-Token of GET /me.',
        },
      },
      responses: { error: { description: 'refused', content: jsonContent(jsonSchema(apiError, 'output')) } },
    },
  };
}

/** For docs/console-api.md: which route does what a command does, and where the page uses it. */
export function routesAsMarkdown(routes: readonly RouteDeclaration[]): string {
  const cell = (text: string | null): string => (text === null ? '' : text);
  const rows = routes.map(
    ({ method, path, role, summary, command, view }) =>
      `| \`${method} ${path}\` | ${role ?? 'none'} | ${summary} | ${
        command === null
          ? ''
          : command
              .split(', ')
              .map((each) => `\`pptpd-ts ${each}\``)
              .join(', ')
      } | ${cell(view)} |`,
  );
  return ['| route | role | does | command | view |', '|---|---|---|---|---|', ...rows].join('\n');
}
