/** Apart from the schema, whose modules take time to load. */
export const USUAL_RUN_DIRECTORY = '/run/pptpd-ts';
