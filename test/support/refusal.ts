import assert from 'node:assert/strict';
import { type Refusal, RefusedError } from '../../schemas/errors.ts';

/** The refusal that something throws; the test fails where it throws none. */
export function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
  return assert.fail('taken');
}
