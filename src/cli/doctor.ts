/** `telle doctor`: looks at all that a server needs, and says what to do about what is wrong. */
import { existsSync } from 'node:fs';
import { MEMORY, type Settings, sqliteFile } from '../../schemas/settings.ts';
import { mostFiles } from '../open-files.ts';
import { isShared } from '../private-file.ts';
import { checkDatabase, checkDisk, isRunning } from './doctor-database.ts';
import { checkDialect } from './doctor-dialect.ts';
import { checkRedis } from './doctor-redis.ts';
import { type Check, type Finding, fault, ok, warned, warning } from './finding.ts';
import { adviceOnListening, faultOfListening, partsOfServer } from './listening.ts';
import { nearMisses } from './near-misses.ts';
import { warningsOfOpenFiles } from './open-files.ts';
import { reasonOf } from './reason.ts';
import { readSecrets, secretFile } from './secrets.ts';
import { painter } from './style.ts';
import { checkTls } from './tls.ts';

const CHECKS: Readonly<Record<string, Check>> = {
  settings: () => nearMisses(process.env).map(warned),
  secret: checkSecret,
  database: checkDatabase,
  disk: checkDisk,
  TLS: checkTls,
  port: checkPorts,
  running: checkRunning,
  redis: checkRedis,
  dialect: checkDialect,
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

function checkSecret(settings: Settings): Finding[] {
  const file = sqliteFile(settings);
  if (settings.AUTH_SECRET === undefined && file !== null && settings.REDIS_URL === undefined) {
    const kept = secretFile(file);
    if (file === MEMORY) return [ok('made at each start, for a database in memory')];
    if (!existsSync(kept)) return [ok(`none yet: ${kept} is made at the first start`)];
    if (isShared(kept))
      return [fault(`${kept} can be read by others`, `chmod 600 ${kept}, and think of a new secret: remove the file`)];
  }
  try {
    const findings: Finding[] = [];
    readSecrets(settings, { warn: (short) => findings.push(warned(short)) });
    if (findings.length > 0) return findings;
    return [ok(settings.AUTH_SECRET === undefined ? `in ${secretFile(file ?? '')}` : 'AUTH_SECRET is set')];
  } catch (error) {
    return [fault(reasonOf(error), 'set AUTH_SECRET to the same on every node: openssl rand -base64 32')];
  }
}

/** Checks that the ports are free, and the address this machine's. */
async function checkPorts(settings: Settings): Promise<Finding[]> {
  const ports = (['PORT', 'METRICS_PORT'] as const).map((name) => [name, settings[name]] as const);
  const findings = await Promise.all(
    ports.map(([name, port]) => (port === undefined ? [] : portOf(settings, name, port))),
  );
  return findings.flat();
}

async function portOf(settings: Settings, name: 'PORT' | 'METRICS_PORT', port: number): Promise<Finding> {
  const { HOST } = settings;
  const error = await faultOfListening(HOST, port);
  if (error === null) return ok(`${HOST}:${port} is free`);
  if ('code' in error && error.code === 'EADDRINUSE' && (await isRunning(settings)))
    return warning(`${HOST}:${port} is taken by the server of these settings, which runs`, 'no second one can start');
  return fault(`cannot listen on ${HOST}:${port}: ${error.message}`, adviceOnListening(error, name));
}

/** Asks the server that runs, if one does, how its parts are. */
async function checkRunning(settings: Settings): Promise<Finding[]> {
  const parts = (await isRunning(settings)) ? await partsOfServer(settings) : null;
  const told = Object.entries(parts ?? {});
  const well = told.filter(([, state]) => state === 'ok').map(([part]) => part);
  const ill = told.filter(([, state]) => state !== 'ok');
  return [
    ...(well.length > 0 ? [ok(`the server says ok of ${well.join(', ')}`)] : []),
    ...ill.map(([part, state]) => warning(`the server says of ${part}: ${state}`, 'its log has more')),
  ];
}

function checkFiles(settings: Settings): Finding[] {
  const warnings = warningsOfOpenFiles(settings);
  if (warnings.length > 0) return warnings.map(warned);
  const most = mostFiles();
  return most === Number.POSITIVE_INFINITY ? [] : [ok(`${most} files may be open`)];
}
