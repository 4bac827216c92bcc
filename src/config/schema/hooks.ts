/** The section `hooks`: programs and web servers that are told what happens to sessions. */
import * as z from 'zod';
import { path } from './values.js';

/** What hooks can be told. */
export const HOOK_EVENTS = ['connect', 'up', 'fail', 'end', 'blocked'] as const;

export type HookEventName = (typeof HOOK_EVENTS)[number];

/** A mistake in it is reported without the text, which may have a password. */
const webhook = z.string().superRefine((text, context) => {
  const isUrl = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
  const params = { value: 'this URL', allowed: 'a URL that begins with http:// or https://' };
  if (!isUrl) context.addIssue({ code: 'custom', params });
});

const hook = z
  .strictObject({
    on: z
      .array(z.enum(HOOK_EVENTS))
      .min(1)
      .describe('What it is told: `connect`, `up`, `fail`, `end`, `blocked` (docs/hooks.md).'),
    run: z
      .tuple([path], z.string())
      .meta({ title: 'an array: the absolute path of a program, and its arguments' })
      .optional()
      .describe('Program and its arguments. It gets JSON on its standard input.'),
    post: webhook.optional().describe('URL to which the same JSON is posted.'),
    timeout: z
      .number()
      .positive()
      .max(300)
      .default(10)
      .describe('Seconds after which the program is ended, or the post has failed.'),
  })
  .superRefine(({ run, post }, context) => {
    if ((run === undefined) !== (post === undefined)) return;
    const reason = run === undefined ? 'it has neither run nor post' : 'it has both run and post';
    context.addIssue({ code: 'custom', params: { value: 'this hook', reason, allowed: 'one of run and post' } });
  });

export const hooksSection = z
  .array(hook)
  .max(20)
  .default([])
  .describe('Programs to run and URLs to post to when something happens to a session: each hook has `run` or `post`.');
