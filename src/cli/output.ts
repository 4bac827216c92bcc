/** Colours, which are used only on a terminal, and not if NO_COLOR is set. */

const useColour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';

const colour = (code: number) => (text: string) => (useColour ? `\u001B[${code}m${text}\u001B[0m` : text);

export const green = colour(32);
export const yellow = colour(33);
export const red = colour(31);
export const bold = colour(1);
