/** Why something failed, as the system says it, and what to do about it. */
import { DrizzleError, DrizzleQueryError } from 'drizzle-orm/errors';
import { rootOf } from '../log.ts';

/** Tells a wrapping error: a driver's or `fetch`'s says nothing of its fault, or repeats a query with all that is in it. */
const isWrapping = (error: Error): boolean =>
  error instanceof DrizzleQueryError || error instanceof DrizzleError || error instanceof TypeError;

/** The fault itself; of several, the first. */
function faultIn(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0] ?? error;
  return error instanceof Error && error.cause instanceof Error && isWrapping(error) ? faultIn(rootOf(error)) : error;
}

const codeOf = (fault: unknown): string => (fault instanceof Error && 'code' in fault ? String(fault.code) : '');

/** Advice by the beginning of the system's or SQLite's code. */
const ADVICE: readonly (readonly [code: RegExp, advice: string])[] = [
  [/^(ENOSPC|EDQUOT|SQLITE_FULL)/, 'make room on the disk'],
  [
    /^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN)/,
    'let this user write to it and its folder, or name another',
  ],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'restore a back-up, or name another'],
  [/^(ENOTDIR|EEXIST|EISDIR)/, 'name a file, in a folder'],
];

/** The reason in words, and where it is known what helps, that. */
export function reasonOf(error: unknown): string {
  const fault = faultIn(error);
  const code = codeOf(fault);
  const reason = fault instanceof Error ? fault.message || code : String(fault);
  const [, advice] = ADVICE.find(([begins]) => begins.test(code)) ?? [];
  return advice === undefined ? reason : `${reason}: ${advice}`;
}
