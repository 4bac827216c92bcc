/**
 * Values that several sections have. Titles describe the allowed values where a type, a number range or a list of values
 * cannot. Times are in seconds and may have fractions; a limit of 0 means no limit.
 */
import * as z from 'zod';
import { addressNumber, parseNetwork } from '../addresses.js';

export const address = z
  .string()
  .refine((text) => addressNumber(text) !== null)
  .meta({ title: 'an IPv4 address, for example 192.0.2.1' });

export const network = z
  .string()
  .refine((text) => parseNetwork(text) !== null)
  .meta({ title: 'an IPv4 address or network, for example 192.0.2.0/24' });

export const port = z.int().min(1).max(65535);

export const seconds = z.number().positive().max(86_400);

/** Up to 23 days, which is what timers can count; 0: no limit. */
export const duration = z.number().min(0).max(2_000_000);

export const limit = z.int().min(0).max(65_535);

export const days = z.number().min(0).max(36_500);

export const path = z.string().startsWith('/').meta({ title: 'an absolute path' });

/** What the kernel takes for a network device's name. */
export const INTERFACE_NAME = /^[^\s/]{1,15}$/;

export const interfaceName = z
  .string()
  .regex(INTERFACE_NAME)
  .meta({ title: "a network device's name, 1 to 15 characters without spaces and slashes" });

export const userName = z
  .string()
  .regex(/^(?!root$)[a-z_][a-z0-9_.-]{0,31}$/)
  .meta({ title: "a user's name; leave the key out for root" });
