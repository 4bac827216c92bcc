/** Why the API refuses a request: the status, a sentence, and a remedy. */
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { RootRefusal } from '../root-requests.js';
import type { RefusalKind } from '../protocol.js';
import type { ApiError } from './schemas.js';

export class ApiFault extends Error {
  readonly status: ContentfulStatusCode;
  readonly remedy: string | null;

  constructor(status: ContentfulStatusCode, sentence: string, remedy: string | null = null) {
    super(sentence);
    this.status = status;
    this.remedy = remedy;
  }

  get body(): ApiError {
    return { error: this.message, ...(this.remedy === null ? {} : { remedy: this.remedy }) };
  }
}

const STATUS_OF_REFUSAL = {
  unknown: 404,
  known: 409,
  refused: 400,
  malformed: 400,
  failed: 502,
} as const satisfies Record<RefusalKind, ContentfulStatusCode>;

/** Any error as a refusal; null: it is a fault of this program. */
export function faultOf(error: unknown): ApiFault | null {
  if (error instanceof ApiFault) return error;
  return error instanceof RootRefusal ? new ApiFault(STATUS_OF_REFUSAL[error.kind], error.message) : null;
}
