/** Usual mistakes in a URL that has a password: each is refused with the setting's name and the way out, and never shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shownDatabase } from '../../schemas/settings.ts';
import { shownUrl } from '../../schemas/urls.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { command } from '../support/command.ts';

const SECRET = 'hunter2';
const SCHEMES = { DATABASE_URL: 'postgres', REDIS_URL: 'redis' } as const;
const NAMES = ['DATABASE_URL', 'REDIS_URL'] as const;

/** What somebody wrote, for the scheme that it should have had; and what is said of it. */
const MISTAKES: Readonly<Record<string, readonly [write: (scheme: string) => string, says: RegExp]>> = {
  'an env file’s quotes': [(scheme) => `"${scheme}://u:${SECRET}@h/d"`, /without quotes/],
  'single quotes': [(scheme) => `'${scheme}://u:${SECRET}@h/d'`, /without quotes/],
  'a word processor’s quotes': [(scheme) => `“${scheme}://u:${SECRET}@h/d”`, /without quotes/],
  'a quote that is left': [(scheme) => `${scheme}://u:${SECRET}@h/d"`, /without quotes/],
  'a line break in the password': [(scheme) => `${scheme}://u:a\n${SECRET}@h/d`, /on one line/],
  'another library’s scheme': [(scheme) => `${scheme}+psycopg://u:${SECRET}@h/d`, /without a driver behind a \+/],
  'another driver’s prefix': [
    (scheme) => `jdbc:${scheme}://h/d?user=u&password=${SECRET}`,
    /beginning with its scheme/,
  ],
  'no colon after the scheme': [(scheme) => `${scheme}//u:${SECRET}@h/d`, /with :\/\/ behind its scheme/],
  'one slash': [(scheme) => `${scheme}:/u:${SECRET}@h/d`, /with :\/\/ behind its scheme/],
  'no slash': [(scheme) => `${scheme}:u:${SECRET}@h/d`, /with :\/\/ behind its scheme/],
  'no scheme': [() => `u:${SECRET}@h/d`, /it must be/],
  'another scheme': [() => `mysql://u:${SECRET}@h/d`, /it must be/],
  'the password alone': [() => SECRET, /it must be/],
  'no host': [(scheme) => `${scheme}://u:${SECRET}`, /percent-encoded/],
  'no port behind its colon': [(scheme) => `${scheme}://h:/${SECRET}`, /percent-encoded/],
  'a name without its colon': [(scheme) => `${scheme}x://u${SECRET}@h/d`, /it must be/],
  'the name of the setting': [(scheme) => `URL=${scheme}://u:${SECRET}@h/d`, /beginning with its scheme/],
  'the command before it': [(scheme) => `cli ${scheme}://u:${SECRET}@h/d`, /beginning with its scheme/],
  'words in place of a URL': [() => `host=h user=u password=${SECRET} dbname=d`, /written as a URL/],
  'words, and an @ in the password': [() => `host=h user=u password=a@${SECRET}`, /written as a URL/],
  'options after a comma': [() => `h:6379,password=${SECRET},ssl=True`, /it must be/],
  'a # in the password': [(scheme) => `${scheme}://u:a#${SECRET}@h/d`, /# is %23/],
  'a # after digits': [(scheme) => `${scheme}://u:12#${SECRET}@h/d`, /# is %23/],
  'a / in the password': [(scheme) => `${scheme}://u:a/${SECRET}@h/d`, /\/ is %2F/],
  'a / after digits': [(scheme) => `${scheme}://u:12/${SECRET}@h/d`, /\/ is %2F/],
  'a / first': [(scheme) => `${scheme}://u:/${SECRET}@h/d`, /\/ is %2F/],
  'a ? after digits': [(scheme) => `${scheme}://u:12?${SECRET}@h/d`, /\? is %3F/],
  'a [ in the password': [(scheme) => `${scheme}://u:${SECRET}@[h/d`, /percent-encoded/],
  'half a character': [(scheme) => `${scheme}://u:%ff${SECRET}@h/d`, /% is %25/],
  'no @ before the host': [(scheme) => `${scheme}://u:${SECRET}:h/d`, /percent-encoded/],
  'a comma in place of an &': [(scheme) => `${scheme}://h/d?user=u&password@${SECRET}`, /percent-encoded/],
  'a file of that name': [(scheme) => `sqlite:${scheme}://u:${SECRET}@h/d`, /it must be/],
};

/** Each command that reads a setting with a password in it. */
const COMMANDS: readonly (readonly string[])[] = [
  ['serve'],
  ['doctor'],
  ['migrate'],
  ['token', '--role', 'admin', '--dealer', 'd', '--sub', 'a'],
  ['revoke', '--dealer', 'd'],
  ['dealer', 'add', 'd'],
  ['dealer', 'list'],
  ['dealer', 'remove', 'd', '--yes'],
  ['chat', '--dealer', 'd', '--group', 'g', '--admin', 'a'],
  ['tail', '--dealer', 'd'],
  ['publish', 'type=UPDATE_MSG'],
  ['export', '--dealer', 'd'],
  ['prune'],
  ['backup', 'copy.db'],
];

function assertRefused(name: string, text: string, says: RegExp): void {
  assert.throws(
    () => readSettings({ [name]: text }),
    (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, new RegExp(`^${name} is not as it must be, and not shown.*: it must be [^\\n]*$`));
      assert.match(error.message, says);
      assert.ok(!error.message.includes(SECRET), error.message);
      return true;
    },
  );
}

describe('a wrong URL with a password in it', { timeout: 60_000 }, () => {
  for (const [what, [write, says]] of Object.entries(MISTAKES)) {
    for (const name of NAMES) {
      const text = write(SCHEMES[name]);
      it(`is refused in a sentence, and not shown: ${what}, ${name}=${JSON.stringify(text)}`, () =>
        assertRefused(name, text, says));
    }
  }

  for (const args of COMMANDS) {
    it(`is refused alike by telle ${args.slice(0, 2).join(' ')}, with 2, on stderr alone`, async () => {
      for (const [what, [write]] of Object.entries(MISTAKES)) {
        const { code, stdout, stderr } = await command(args, { DATABASE_URL: write('postgres') });
        assert.deepEqual([code, stdout], [2, ''], what);
        assert.match(stderr, /^telle: DATABASE_URL is not as it must be, and not shown.*: it must be .*\n$/, what);
        assert.ok(!stderr.includes(SECRET), stderr);
      }
    });
  }

  it('is not shown either where somebody gives it as a flag, or as the server’s address', async () => {
    for (const args of [
      ['migrate', '--database-url', `"postgres://u:${SECRET}@h/d"`],
      ['tail', '--dealer', 'd', '--url', `htp://u:${SECRET}@h`],
    ]) {
      const { code, stdout, stderr } = await command(args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^telle: (DATABASE_URL|--url) .* must be .*\n$|^telle: --url must be .*\n$/);
      assert.ok(!stderr.includes(SECRET), stderr);
    }
  });
});

/** What a slip of a key puts into a URL. */
const SLIPS = [
  '"',
  ' ',
  '\n',
  ':',
  '/',
  '//',
  '@',
  '#',
  '?',
  '&',
  '=',
  '%',
  '[',
  '+',
  '12',
  '\\',
  ',',
  ';',
  'jdbc:',
  'x',
];

/** All that one slip makes of a text: something put in, or left out, anywhere but in the password itself. */
function* slipsOf(text: string): Generator<string> {
  const from = text.indexOf(SECRET);
  for (let at = 0; at <= text.length; at += 1) {
    if (at > from && at < from + SECRET.length) continue;
    for (const slip of SLIPS) yield text.slice(0, at) + slip + text.slice(at);
    if (at !== from) yield text.slice(0, at) + text.slice(at + 1);
  }
}

describe('a URL with one slip in it', () => {
  for (const url of [
    `postgres://u:${SECRET}@h/d`,
    `postgres://u:${SECRET}@h:5432/d?sslmode=require`,
    `postgres://h/d?user=u&password=${SECRET}`,
    `redis://:${SECRET}@h:6379/0`,
    `host=h password=${SECRET} dbname=d`,
  ]) {
    it(`is never shown with its password, be it taken or refused: ${url}`, () => {
      for (const slip of slipsOf(url)) {
        for (const name of NAMES) assert.ok(!saidOf(name, slip).includes(SECRET), `${slip}: ${saidOf(name, slip)}`);
      }
    });
  }
});

/** How a value is shown where it is taken, or what is said where it is not. */
function saidOf(name: (typeof NAMES)[number], text: string): string {
  try {
    const { [name]: url = '' } = readSettings({ [name]: text });
    return shownUrl(url);
  } catch (error) {
    return error instanceof UsageError ? error.message : assert.fail(String(error));
  }
}

/** What the drivers take is taken, and shown without what is before the host. */
const GOOD: readonly (readonly [url: string, shown: string])[] = [
  ['postgres://telle:p%40ss@h:5432/d', 'postgres://…@h:5432/d'],
  ['postgresql://telle@h/d?sslmode=require', 'postgresql://…@h/d?…'],
  ['postgres://u:a@b:c@h/d', 'postgres://…@h/d'],
  ['postgres://u:50%off@h/d', 'postgres://…@h/d'],
  ['postgres://u:p@/d?host=/tmp', 'postgres://…@/d?…'],
  ['postgres:///d?host=/tmp', 'postgres:///d?…'],
  ['postgres://[::1]:5432/d', 'postgres://[::1]:5432/d'],
  ['postgres://h/d', 'postgres://h/d'],
  ['postgres://h/d?user=u%40x&password=p', 'postgres://h/d?…'],
  ['postgres://u:p@h1:5432,h2/d', 'postgres://…@h1:5432,h2/d'],
  ['sqlite:a@b:c=d?.db', 'sqlite:a@b:c=d?.db'],
  ['sqlite:///var/lib/telle.db', 'sqlite:///var/lib/telle.db'],
];

describe('a good DATABASE_URL', () => {
  for (const [url, shown] of GOOD) {
    it(`is taken, and shown as ${shown}: ${url}`, () => {
      const { DATABASE_URL } = readSettings({ DATABASE_URL: url });
      assert.equal(DATABASE_URL, url);
      assert.equal(shownDatabase({ DATABASE_URL }), shown);
    });
  }

  for (const [given, url] of [
    [' postgres://u:p@h/d', 'postgres://u:p@h/d'],
    ['postgres://u:p@h/d\n', 'postgres://u:p@h/d'],
    ['Postgres://u:P@h/D', 'postgres://u:P@h/D'],
    ['POSTGRESQL://u:p@h/d\r\n', 'postgresql://u:p@h/d'],
    ['SQLite:Data/Telle.db\n', 'sqlite:Data/Telle.db'],
  ] as const) {
    it(`may have blanks and line breaks around it, and a scheme in capitals: ${JSON.stringify(given)}`, () =>
      assert.equal(readSettings({ DATABASE_URL: given }).DATABASE_URL, url));
  }

  for (const url of ['sqlite://data/telle.db', 'sqlite:~/telle.db', 'sqlite: telle.db', 'sqlite:"telle.db"']) {
    it(`is not one that names a file that nobody means: ${JSON.stringify(url)}`, () => {
      assert.throws(() => readSettings({ DATABASE_URL: url }), { name: 'UsageError', message: /^DATABASE_URL is not/ });
    });
  }
});

describe('HOST', () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::', 'fe80::1%eth0', 'localhost', 'chat-1.example_x']) {
    it(`may be ${host}`, () => assert.equal(readSettings({ HOST: host }).HOST, host));
  }

  for (const host of ['localhost:8080', 'http://localhost', '127.0.0.1:80', '[::1]', 'local host', '127.0.0.1/8']) {
    it(`is told to have neither scheme nor port: ${host}`, () => {
      assert.throws(() => readSettings({ HOST: host }), {
        name: 'UsageError',
        message: /^HOST is ".*": it must be an address or a name, such as .*, without scheme and port$/,
      });
    });
  }
});
