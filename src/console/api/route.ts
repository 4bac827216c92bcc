/** One declaration per route: what hono serves, the OpenAPI description and the table of the documents are made of it. */
import type * as z from 'zod';
import type { Who } from '../access/who.js';
import type { LiveModel } from '../live/live-model.js';
import type { ConsoleSettings } from '../protocol.js';
import type { Root } from '../root-requests.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What the handlers work with. */
export interface Services {
  readonly model: LiveModel;
  readonly root: Root;
  readonly settings: Pick<ConsoleSettings, 'runDirectory' | 'configuration' | 'accounting'>;
}

export interface Call<P, Q, B> extends Services {
  readonly parameters: P;
  readonly query: Q;
  readonly body: B;
  readonly who: Who;
  /** Aborted when the client has closed the connection. */
  readonly signal: AbortSignal;
  /** The request's Accept-Encoding. */
  readonly acceptEncoding: string;
  /** Whether a long answer may go on. */
  readonly isStillValid: () => Promise<boolean>;
  /** What the request has changed, for the log. */
  readonly changed: (what: Readonly<Record<string, unknown>>) => void;
}

/** A schema of JSON, or the content type of another body. */
export type AnswerKind = z.ZodType | { readonly contentType: string; readonly words: string };

export interface RouteDeclaration {
  readonly method: Method;
  /** Below /api/v1: `/sessions/{id}`. */
  readonly path: string;
  /** null: no login is needed. */
  readonly role: 'view' | 'admin' | null;
  /** What it does, as an imperative without a full stop. */
  readonly summary: string;
  /** The command that does the same; null: none. */
  readonly command: string | null;
  /** The page's view that uses it; null: none. */
  readonly view: string | null;
  readonly parameters?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answer: AnswerKind;
}

export interface Route extends RouteDeclaration {
  /** Returns what is sent as JSON, or a whole answer. Throws ApiFault or RootRefusal. */
  readonly handle: (call: Call<unknown, unknown, unknown>) => unknown;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Checks that a handler fits the schemas of its route. */
export const route = <
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
  A extends AnswerKind,
>(
  declared: Omit<RouteDeclaration, 'parameters' | 'query' | 'body' | 'answer'> & {
    readonly parameters?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly answer: A;
    readonly handle: (
      call: Call<Output<P>, Output<Q>, Output<B>>,
    ) => A extends z.ZodType ? z.input<A> | Promise<z.input<A>> : Response | Promise<Response>;
  },
): Route => declared as unknown as Route;
