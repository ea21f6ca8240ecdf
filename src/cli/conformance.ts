/** `telle conformance`: tries the promises of the protocol on a server, Telle or not. */
import { conformance, LeftError, MissingError, type Result } from '../../conformance/index.ts';
import { reasonOf } from './reason.ts';
import { painter } from './style.ts';
import { UsageError } from './usage-error.ts';

export interface ConformanceRequest {
  readonly secret?: string;
  readonly dealer?: string;
  readonly serverToken?: string;
  readonly adminToken?: string;
}

const STYLES = { pass: 'green', fail: 'red', 'not run': 'yellow' } as const;

/** A server's words as they are shown, without anything that a terminal would obey. */
const harmless = (text: string): string => text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ');

/** Writes a line for each promise, and counts them. Exit code 1: some were not kept; 2: none could be tried. */
export async function tryServer(url: string, { secret, ...request }: ConformanceRequest): Promise<void> {
  if (!/^wss?:\/\/./i.test(url) || !URL.canParse(url))
    throw new UsageError('the address must be ws://<host>:<port>/ws, or wss://<host>/ws');
  const { username, password } = new URL(url);
  if (username || password) throw new UsageError('the address may not hold a name or a password');
  if (!secret && request.dealer === undefined)
    throw new UsageError("say --secret (or AUTH_SECRET), the server's, or with --dealer a dealer that there is");
  let left = '';
  const counts = { pass: 0, fail: 0, 'not run': 0 };
  try {
    for await (const result of conformance({ ...request, url, secret: secret?.split(',')[0]?.trim() || undefined })) {
      counts[result.outcome] += 1;
      process.stdout.write(`${lineOf(result)}\n`);
    }
  } catch (error) {
    if (error instanceof LeftError) left = error.message;
    else throw failureOf(url, error);
  }
  process.stdout.write(`\n${counts.pass} kept, ${counts.fail} not kept, ${counts['not run']} not run\n`);
  if (left) process.stderr.write(`telle: ${harmless(left)}\n`);
  if (counts.fail > 0) process.exitCode = 1;
}

function failureOf(url: string, error: unknown): UsageError {
  const advice = error instanceof MissingError ? ': is it the secret of that server? Else name a --dealer' : '';
  return new UsageError(`${new URL(url).host}: ${harmless(reasonOf(error))}${advice}`, { cause: error });
}

function lineOf({ outcome, clause, says, why }: Result): string {
  const word = painter(process.stdout)(STYLES[outcome], outcome.padEnd(7));
  return `${word}  ${harmless(`${clause.padEnd(4)} ${says}${why === undefined ? '' : `: ${why}`}`)}`;
}
