/** Logging of faults: what the driver said, and where; never what it was asked, which holds people's words. */

/** The innermost cause: what wraps it repeats the query and its parameters. */
export function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}

/** The `err` of a log line. */
export function serializeError(error: unknown): { type: string; message: string; stack: string; code?: unknown } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' };
  const root = rootOf(error);
  const code = 'code' in root ? { code: root.code } : {};
  return { type: root.name, ...code, message: root.message, stack: root.stack ?? '' };
}
