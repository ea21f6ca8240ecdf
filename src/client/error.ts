import type { Detail, ErrorCode } from '../../schemas/errors.ts';

/** Codes that no server gives: it is offline (what is not kept was not sent), the queue is full, the client is closed. */
type LocalCode = 'offline' | 'queue_full' | 'closed';

/** Why a send failed: go by `code` and `retryable`; the message and the details are for people [P-9]. */
export class TelleError extends Error {
  override readonly name = 'TelleError';
  readonly code: ErrorCode | LocalCode;
  readonly retryable: boolean;
  readonly details: readonly Detail[];

  constructor(code: ErrorCode | LocalCode, message: string, retryable: boolean, details: readonly Detail[] = []) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}
