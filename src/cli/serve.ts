import { fstatSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { createApp } from '../app.ts';
import { Tokens } from '../auth/tokens.ts';
import { NoRedisError } from '../bus/probe.ts';
import { timingOf } from '../timing.ts';
import { bringUpToDate, openDatabase } from './database.ts';
import { howToBegin, howToTry, makeDemoDealer, warningsOfDemo } from './demo.ts';
import { warningsOfGroupKeys } from './group-keys.ts';
import { adviceOnListening } from './listening.ts';
import { nearMisses } from './near-misses.ts';
import { warningsOfFewFiles } from './open-files.ts';
import { warningsOfFiles } from './private-files.ts';
import { rereadLimits } from './reread.ts';
import { readSecrets } from './secrets.ts';
import { isProduction } from './settings.ts';
import { readTls, renewTls, schemeOf } from './tls.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';
import { sentenceOf, type Warning } from './warning.ts';

/** Time that a drain may take, in ms, once its sockets have been told to go, before the process ends all the same. */
export const DRAIN_LIMIT = 9_000;
/**
 * Connections that may wait to be accepted: as many as the system lets. Of thousands who come back at once, whoever finds
 * no room is not refused, but tries again by itself, after one second, three, seven.
 */
const BACKLOG = 65_535;

/**
 * `telle serve`: runs until SIGTERM or SIGINT, then drains. SIGHUP has it read its limits again; where it has a terminal that is
 * the terminal's end, and the process's.
 * @param read reads the settings again
 */
export async function serve(settings: Settings, read: () => Settings): Promise<void> {
  // The greeting's reader may go; the server stays.
  process.stdout.removeAllListeners('error').on('error', () => {});
  const { HOST, PORT } = settings;
  // Heard from the beginning: one that comes while tables are brought up to date must not end the process.
  const hangup = { heard: () => {} };
  if (!process.stdin.isTTY) process.on('SIGHUP', () => hangup.heard());
  const warnings: Warning[] = [...nearMisses(process.env), ...warningsOfFewFiles(settings)];
  const tls = readTls(settings);
  const secrets = readSecrets(settings, { make: true, warn: (warning) => warnings.push(warning) });
  const store = openDatabase(settings, { secrets, alone: true });
  const isNew = await bringUpToDate(settings, store, process.stdout);
  if (isNew && sqliteFile(settings) !== null && !isProduction()) await makeDemoDealer(store);
  warnings.push(...warningsOfFiles(settings), ...(await warningsOfDemo(store)), ...(await warningsOfGroupKeys(store)));
  const beginning = await howToBegin(store);
  const app = await createApp({ settings, tls, store, secrets, version, logTo: process.stderr }).catch(
    async (error) => {
      await store.close();
      throw error instanceof NoRedisError ? new UsageError(error.message, { cause: error }) : error;
    },
  );
  for (const warning of warnings) app.log.warn(sentenceOf(warning));
  try {
    await app.ready();
    await app.listen({ host: HOST, port: PORT, backlog: BACKLOG }).catch((cause: Error) => {
      throw new Error(`cannot listen on ${HOST}:${PORT}: ${cause.message}: ${adviceOnListening(cause, 'PORT')}`, {
        cause,
      });
    });
  } catch (error) {
    await app.close();
    throw error;
  }
  const at = addressOf(settings, app.server.address());
  const trial = isKept() ? null : await howToTry(store, new Tokens(secrets), `${schemeOf(settings)}://${nearby(at)}`);
  // Listened for before the greeting: who waits for that may send one at once.
  const signal = firstSignal();
  hangup.heard = () => {
    rereadLimits(settings, read, app.log);
    renewTls(settings, app.server, app.log);
  };
  process.stdout.write(greeting(settings, at, trial ?? beginning));
  const { drainPause, drainSpread } = timingOf(settings);
  const lasts = Math.ceil((drainPause + drainSpread) / 1000);
  process.stdout.write(`${await signal}: closing${lasts > 0 ? ` in ${lasts} s; send it again to end at once` : ''}\n`);
  setTimeout(() => process.exit(1), drainPause + drainSpread + DRAIN_LIMIT).unref();
  await app.close();
}

/** Resolves with the first signal to end. A second one ends the process there and then. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (!isFirst) process.exit(1);
        isFirst = false;
        resolve(name);
      });
    }
  });
}

/** Tells whether what is printed is kept, and no token may go there: in production, and where systemd's journal takes it. */
function isKept(): boolean {
  const { JOURNAL_STREAM } = process.env; // the device and inode of what systemd has connected
  if (isProduction() || JOURNAL_STREAM === undefined) return isProduction();
  const { dev, ino } = fstatSync(process.stdout.fd);
  return JOURNAL_STREAM === `${dev}:${ino}`;
}

function greeting(settings: Settings, at: string, hint: string | null): string {
  const scheme = schemeOf(settings);
  const ways = `${scheme.replace('http', 'ws')}://${at}/ws  ${scheme}://${at}/health`;
  const lines = [`telle ${version}  ${ways}`, `database  ${shownDatabase(settings)}`];
  return `${[...lines, ...(hint === null ? [] : ['', hint])].join('\n')}\n`;
}

/** Where it listens: host and port. */
const addressOf = ({ HOST }: Settings, address: AddressInfo | string | null): string =>
  typeof address === 'object' && address ? hostAndPort(address) : HOST;

const hostAndPort = ({ family, address, port }: AddressInfo): string =>
  `${family === 'IPv6' ? `[${address}]` : address}:${port}`;

/** The same for a browser on this machine: where it listens on every interface, on this machine's own. */
const nearby = (at: string): string => at.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
