/**
 * The package koffi, which calls C functions. It is loaded when this file runs: if an import declaration did it, a missing
 * package would end the process with a stack trace before a program could say what to do.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
const koffi: typeof import('koffi') = load('koffi');

export default koffi;
