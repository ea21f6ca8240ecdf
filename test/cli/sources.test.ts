/** Where settings come from: flags, the environment, a file, and files of their own for what is secret; and names that are nearly one. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Settings } from '../../schemas/settings.ts';
import { readConfig } from '../../src/cli/config.ts';
import { nearMisses } from '../../src/cli/near-misses.ts';
import { SETTING_NAMES } from '../../src/cli/settings.ts';
import { gather, SOURCE_NAMES } from '../../src/cli/sources.ts';
import { command } from '../support/command.ts';
import { startProcess } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const AUTH_SECRET = 'a secret of this test that nobody else has';

/** What `telle migrate` says of the database that it was told of. */
async function migrated(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await command(['migrate', ...args], env);
  assert.deepEqual([code, stderr], [0, '']);
  return /telle-.*\/(\w+)\.db was made/.exec(stdout)?.[1] ?? assert.fail(stdout);
}

describe('a setting', { timeout: 60_000 }, () => {
  it('is taken from a flag, else from the environment, else from the file', () =>
    inFolder(async (folder) => {
      const at = (name: string) => `sqlite:${join(folder, `${name}.db`)}`;
      const file = join(folder, 'telle.toml');
      await writeFile(file, `DATABASE_URL = "${at('file')}"\nMAX_CONNECTIONS = 7\n`);
      assert.equal(await migrated(['--config', file], {}), 'file');
      const env = { TELLE_CONFIG: file, DATABASE_URL: at('environment') };
      assert.equal(await migrated([], env), 'environment');
      assert.equal(await migrated(['--database-url', at('flag')], env), 'flag');
      await writeFile(join(folder, 'url'), `${at('secret')}\n`);
      assert.equal(await migrated([], { TELLE_CONFIG: file, DATABASE_URL_FILE: join(folder, 'url') }), 'secret');
      const { stdout } = await command(['doctor', '--config', file], { DATABASE_URL: at('flag'), PORT: '0' });
      assert.doesNotMatch(stdout, /MAX_CONNECTIONS 50000/);
    }));

  it('may be in a file of its own where it is secret, and only there', () => {
    const secrets = SETTING_NAMES.filter((name) => 'x-secret' in Settings.properties[name]);
    assert.ok(secrets.includes('AUTH_SECRET') && secrets.includes('DATABASE_URL') && secrets.includes('REDIS_URL'));
    assert.deepEqual([...SOURCE_NAMES].sort(), [...SETTING_NAMES, ...secrets.map((name) => `${name}_FILE`)].sort());
    assert.deepEqual(gather(['PORT'], [{ PORT_FILE: '/nowhere' }]), { PORT: undefined });
  });

  it('is refused where it and its file are both there, or the file is not', () => {
    for (const name of ['AUTH_SECRET', 'DATABASE_URL', 'REDIS_URL'] as const) {
      assert.throws(() => gather([name], [{ [name]: 'x', [`${name}_FILE`]: 'y' }]), {
        name: 'UsageError',
        message: `${name} and ${name}_FILE are both set: set one of them`,
      });
      assert.throws(() => gather([name], [{ [`${name}_FILE`]: '/nowhere' }]), {
        name: 'UsageError',
        message: `${name}_FILE names a file that cannot be read: there is none of that name`,
      });
    }
  });

  it('of a server may all be in files', () =>
    inFolder(async (folder) => {
      const [secret, config] = [join(folder, 'secret'), join(folder, 'telle.json')];
      await writeFile(secret, `${AUTH_SECRET}\n`);
      await writeFile(
        config,
        JSON.stringify({ PORT: 0, AUTO_MUTE: false, JOIN_TIMEOUT: '10s', AUTH_SECRET_FILE: secret }),
      );
      const server = await startProcess(
        { cwd: folder, patience: 60_000, env: { LOG_LEVEL: 'warn', DATABSE_URL: 'x' } },
        ['--config', config],
      );
      await server.kill();
      assert.match(server.stderr, /DATABSE_URL is set, which is no setting: is DATABASE_URL meant\?/);
    }));
});

/** What is in a file, by its ending, and what is said of it. */
const WRONG: readonly (readonly [ending: string, text: string, says: RegExp])[] = [
  ['toml', 'PORTT = 1', /in which PORTT is no setting: is PORT meant\?$/],
  ['toml', 'port = 1', /in which port is no setting: is PORT meant\?$/],
  ['toml', 'max-frame-bytes = 2048', /in which max-frame-bytes is no setting: is MAX_FRAME_BYTES meant\?$/],
  [
    'json',
    '{"DATABSE_URL": "postgres://u:hunter2@h/d"}',
    /in which DATABSE_URL is no setting: is DATABASE_URL meant\?$/,
  ],
  ['toml', 'PORT = 1\nAUTH_SECRET = hunter2', /which cannot be understood in line 2/],
  ['json', '{"PORT": 1,\n"AUTH_SECRET": hunter2}', /which cannot be understood/],
  ['json', '[1]', /which must hold names and values$/],
  ['json', '{"PORT": [1]}', /in which PORT must be a text, a number, or true or false$/],
  ['toml', '[PORT]\nis = 1', /in which PORT must be a text, a number, or true or false$/],
  ['yaml', 'PORT: 1', /and its name must end in \.toml or \.json$/],
];

describe('a config file', () => {
  for (const [ending, text, says] of WRONG) {
    it(`is refused, and nothing secret shown: ${JSON.stringify(text)} in .${ending}`, () =>
      inFolder(async (folder) => {
        const file = join(folder, `telle.${ending}`);
        await writeFile(file, text);
        assert.throws(
          () => readConfig(file),
          (error: Error) => {
            assert.equal(error.name, 'UsageError');
            assert.match(error.message, says);
            assert.doesNotMatch(error.message, /hunter2/);
            return true;
          },
        );
      }));
  }

  it('is refused by a command that cannot read it, or that meets a wrong value in it, in a sentence', () =>
    inFolder(async (folder) => {
      const away = await command(['doctor', '--config', '/nowhere/telle.toml']);
      assert.equal(away.code, 2);
      assert.match(
        away.stderr,
        /^telle: the config file \(.*\) is "\/nowhere\/telle\.toml", which cannot be read: there is none of that name\n$/,
      );
      const file = join(folder, 'telle.toml');
      await writeFile(file, 'PORT = "http"');
      const { code, stderr } = await command(['doctor'], { TELLE_CONFIG: file });
      assert.deepEqual([code, stderr], [2, 'telle: PORT is "http": it must be a whole number from 0 to 65535\n']);
    }));
});

describe('a variable that is nearly a setting', () => {
  const meant = (name: string, more = {}) => nearMisses({ [name]: 'x', ...more }).map(({ advice }) => advice);

  for (const [name, setting] of [
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['TELLE_DATABASE_URL', 'DATABASE_URL'],
    ['REDIS_URI', 'REDIS_URL'],
    ['AUTH_SECRETS', 'AUTH_SECRET'],
    ['AUTH_SECRET_FIEL', 'AUTH_SECRET_FILE'],
    ['MAX_CONECTIONS', 'MAX_CONNECTIONS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ] as const) {
    it(`is told of: ${name}`, () => assert.deepEqual(meant(name), [`is ${setting} meant?`]));
  }

  it('is told of by doctor', async () => {
    const { stdout } = await command(['doctor'], { DATABSE_URL: 'x', PORT: '0', DATABASE_URL: 'sqlite:nowhere/x.db' });
    assert.doesNotMatch(stdout, /DATABSE_URL/);
    const { stdout: without } = await command(['doctor'], { REDIS_URI: 'x', PORT: '0' });
    assert.match(without, /^! settings +REDIS_URI is set, which is no setting\n +→ is REDIS_URL meant\?$/m);
  });

  it('is not told of where that setting is there too, nor where it is another program’s', () => {
    assert.deepEqual(meant('DATABASE_URI', { DATABASE_URL: 'y' }), []);
    for (const name of [
      ...[
        'PATH',
        'HOME',
        'HOSTNAME',
        'POST',
        'PORTS',
        'HOSTS',
        'SORT',
        'LANG',
        'USER',
        'NODE_ENV',
        'NODE_OPTIONS',
        'TZ',
      ],
      ...[
        'REDIS_PORT',
        'REDIS_HOST',
        'DATABASE_NAME',
        'DATABASE_HOST',
        'TELLE_PORT',
        'TELLE_SERVICE_HOST',
        'TELLE_TOKEN',
      ],
      ...[
        'TELLE_CONFIG',
        'LOGNAME',
        'SSH_AUTH_SOCK',
        'HTTP_PORT',
        'PGHOST',
        'REDIS_PASSWORD',
        'SECRET',
        'JOURNAL_STREAM',
      ],
    ]) {
      assert.deepEqual(meant(name), [], name);
    }
  });
});
