/** Whoever logs in to the builtin engine of the benchmark. */
export const USER = 'bench';
export const PASSWORD = 'correct horse';
/** A line of chap-secrets. */
export const SECRET = `"${USER}" * "${PASSWORD}" *\n`;
