/** `telle doctor`: looks at all that a server needs, and says what to do about what is wrong. */
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Redis } from 'ioredis';
import { type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { openStore } from '../app.ts';
import { isShared } from '../private-file.ts';
import { warningsOfDemo } from './demo.ts';
import { warningsOfFiles } from './private-files.ts';
import { readSecrets, secretFile } from './secrets.ts';
import { painter } from './style.ts';
import type { Warning } from './warning.ts';

/** Clocks that differ by more than this, in ms, make events' times and tokens' ends look wrong. */
const MAX_SKEW = 1_000;
/** Free bytes of a disk below which it is soon full. */
const LITTLE_SPACE = 1024 ** 3;
/** File descriptors that a server needs beside its sockets. */
const SPARE_FILES = 100;

/** What was found; `advice` says what to do, where something is. */
interface Finding {
  readonly state: 'ok' | 'warning' | 'fault';
  readonly found: string;
  readonly advice?: string;
}
type Check = (settings: Settings) => Promise<readonly Finding[]> | readonly Finding[];

const ok = (found: string): Finding => ({ state: 'ok', found });
const warning = (found: string, advice: string): Finding => ({ state: 'warning', found, advice });
const warned = ({ found, advice }: Warning): Finding => warning(found, advice);
const fault = (found: string, advice: string): Finding => ({ state: 'fault', found, advice });

const CHECKS: Readonly<Record<string, Check>> = {
  secret: checkSecret,
  database: checkDatabase,
  disk: checkDisk,
  redis: checkRedis,
  'open files': checkFiles,
};

const MARKS = { ok: ['green', '✓'], warning: ['yellow', '!'], fault: ['red', '✗'] } as const;

/** Prints a line for each finding; the exit code is 1 where any is a fault. */
export async function examine(settings: Settings): Promise<void> {
  const paint = painter(process.stdout);
  for (const [name, check] of Object.entries(CHECKS)) {
    for (const { state, found, advice } of await check(settings)) {
      const [colour, mark] = MARKS[state];
      process.stdout.write(`${paint(colour, mark)} ${name.padEnd(10)}  ${found}\n`);
      if (advice) process.stdout.write(`  ${''.padEnd(10)}  → ${advice}\n`);
      if (state === 'fault') process.exitCode = 1;
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function checkSecret(settings: Settings): Finding[] {
  const file = sqliteFile(settings);
  if (settings.AUTH_SECRET === undefined && file !== null && settings.REDIS_URL === undefined) {
    const kept = secretFile(file);
    if (!existsSync(kept)) return [ok(`none yet: ${kept} is made at the first start`)];
    if (isShared(kept))
      return [fault(`${kept} can be read by others`, `chmod 600 ${kept}, and think of a new secret: remove the file`)];
  }
  try {
    const findings: Finding[] = [];
    readSecrets(settings, (short) => findings.push(warned(short)));
    if (findings.length > 0) return findings;
    return [ok(settings.AUTH_SECRET === undefined ? `in ${secretFile(file ?? '')}` : 'AUTH_SECRET is set')];
  } catch (error) {
    return [fault(messageOf(error), 'set AUTH_SECRET to the same on every node: openssl rand -base64 32')];
  }
}

async function checkDatabase(settings: Settings): Promise<Finding[]> {
  const file = sqliteFile(settings);
  if (file !== null && !existsSync(file)) return [ok(`none yet: ${file} is made at the first start`)];
  try {
    const store = openStore(settings);
    try {
      const pending = await store.pendingMigrations();
      // It looks into the tables, which a new database does not have yet.
      if (pending === 0) await store.check();
      return [
        ok(`${shownDatabase(settings)} answers`),
        migrationsOf(pending),
        ...(await skewOf('the database', () => store.now())),
        ...warningsOfFiles(settings).map(warned),
        ...(pending === 0 ? await warningsOfDemo(store) : []).map(warned),
      ];
    } finally {
      await store.close();
    }
  } catch (error) {
    const advice =
      file === null ? 'is it running, and do DATABASE_URL and its password fit?' : `may this user write to ${file}?`;
    return [fault(`${shownDatabase(settings)} does not answer: ${messageOf(error)}`, advice)];
  }
}

function migrationsOf(pending: number): Finding {
  if (pending === 0) return ok('its tables are up to date');
  return warning(`${pending} migrations are to be applied`, 'telle migrate, or the next start, applies them');
}

async function skewOf(whose: string, read: () => Promise<number>): Promise<Finding[]> {
  const before = Date.now();
  const theirs = await read();
  const skew = Math.round(theirs - (before + Date.now()) / 2);
  if (Math.abs(skew) <= MAX_SKEW) return [ok(`its clock and this one agree within ${MAX_SKEW} ms`)];
  return [
    warning(
      `the clock of ${whose} is ${skew} ms ahead of this one`,
      'let both follow NTP (timedatectl, chronyc tracking)',
    ),
  ];
}

async function checkDisk(settings: Settings): Promise<Finding[]> {
  const file = sqliteFile(settings);
  const folder = file === null ? null : dirname(file);
  if (folder === null || !existsSync(folder)) return [];
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${folder}`;
  return [free > LITTLE_SPACE ? ok(found) : warning(found, 'a full disk refuses every message: make room')];
}

async function checkRedis({ REDIS_URL: url }: Settings): Promise<Finding[]> {
  if (url === undefined) return [ok('none is set: this node is alone')];
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 3_000 });
  let reason: unknown;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    const [, version = '?'] = /redis_version:(\S+)/.exec(await redis.info('server')) ?? [];
    const clock = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    return [ok(`Redis ${version} answers`), ...(await skewOf('Redis', clock)), ...(await keepingOf(redis))];
  } catch (error) {
    return [
      fault(
        `Redis does not answer: ${messageOf(reason ?? error)}`,
        'is it running, and does REDIS_URL fit? Telle starts without it',
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

/** Whether Redis keeps what other servers put into its stream. */
async function keepingOf(redis: Redis): Promise<Finding[]> {
  const info = `${await redis.info('persistence')}${await redis.info('memory')}`;
  const findings: Finding[] = [];
  if (/aof_enabled:0/.test(info)) {
    findings.push(
      warning('Redis keeps no append-only file', 'appendonly yes: else what is in the stream is lost with it'),
    );
  }
  if (!/maxmemory_policy:noeviction/.test(info)) {
    findings.push(warning('Redis may evict keys', 'maxmemory-policy noeviction: else the stream may be thrown away'));
  }
  return findings;
}

function checkFiles({ MAX_CONNECTIONS }: Settings): Finding[] {
  const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '';
  const [, most] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  if (most === undefined) return [];
  const needed = MAX_CONNECTIONS + SPARE_FILES;
  if (most === 'unlimited' || Number(most) >= needed) return [ok(`${most} may be open`)];
  return [
    warning(
      `${most} may be open, and MAX_CONNECTIONS ${MAX_CONNECTIONS} needs ${needed}`,
      `raise it (ulimit -Hn, LimitNOFILE) or lower MAX_CONNECTIONS to ${Math.max(1, Number(most) - SPARE_FILES)}`,
    ),
  ];
}
