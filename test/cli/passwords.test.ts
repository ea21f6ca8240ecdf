/** Usual mistakes in a URL that has a password: each is refused with the setting's name and the way out, and never shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shownDatabase } from '../../schemas/settings.ts';
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
  'a quote that is left': [(scheme) => `${scheme}://u:${SECRET}@h/d"`, /without quotes/],
  'a leading blank': [(scheme) => ` ${scheme}://u:${SECRET}@h/d`, /without quotes, blanks/],
  'a trailing line break': [(scheme) => `${scheme}://u:${SECRET}@h/d\n`, /without quotes, blanks or line breaks/],
  'a line break in the password': [(scheme) => `${scheme}://u:a\n${SECRET}@h/d`, /it must be/],
  'another library’s scheme': [(scheme) => `${scheme}+psycopg://u:${SECRET}@h/d`, /it must be/],
  'a sentinel’s scheme': [(scheme) => `${scheme}+sentinel://:${SECRET}@h:26379/0`, /it must be/],
  'another driver’s prefix': [(scheme) => `jdbc:${scheme}://h/d?user=u&password=${SECRET}`, /it must be/],
  'an upper-case scheme': [(scheme) => `${scheme.toUpperCase()}://u:${SECRET}@h/d`, /it must be/],
  'no colon after the scheme': [(scheme) => `${scheme}//u:${SECRET}@h/d`, /it must be/],
  'one slash': [(scheme) => `${scheme}:/u:${SECRET}@h/d`, /it must be/],
  'no scheme': [() => `u:${SECRET}@h/d`, /it must be/],
  'no host': [(scheme) => `${scheme}://u:${SECRET}`, /percent-encoded/],
  'a name without its colon': [(scheme) => `${scheme}x://u${SECRET}@h/d`, /it must be/],
  'the name of the setting': [(scheme) => `URL=${scheme}://u:${SECRET}@h/d`, /it must be/],
  'the command before it': [(scheme) => `cli ${scheme}://u:${SECRET}@h/d`, /it must be/],
  'words in place of a URL': [() => `host=h user=u password=${SECRET} dbname=d`, /it must be/],
  'words, and an @ in the password': [() => `host=h user=u password=a@${SECRET}`, /it must be/],
  'options after a comma': [() => `h:6379,password=${SECRET},ssl=True`, /it must be/],
  'a # in the password': [(scheme) => `${scheme}://u:a#${SECRET}@h/d`, /# is %23/],
  'a # after digits': [(scheme) => `${scheme}://u:12#${SECRET}@h/d`, /# is %23/],
  'a / in the password': [(scheme) => `${scheme}://u:a/${SECRET}@h/d`, /\/ is %2F/],
  'a / after digits': [(scheme) => `${scheme}://u:12/${SECRET}@h/d`, /\/ is %2F/],
  'a ? after digits': [(scheme) => `${scheme}://u:12?${SECRET}@h/d`, /\? is %3F/],
  'a [ in the password': [(scheme) => `${scheme}://u:${SECRET}@[h/d`, /percent-encoded/],
  'half a character': [(scheme) => `${scheme}://u:%ff${SECRET}@h/d`, /% is %25/],
  'a file of that name': [(scheme) => `sqlite:${scheme}://u:${SECRET}@h/d`, /it must be/],
};

describe('a wrong URL with a password in it', { timeout: 60_000 }, () => {
  for (const [what, [write, says]] of Object.entries(MISTAKES)) {
    for (const name of NAMES) {
      const text = write(SCHEMES[name]);
      it(`is refused, and not shown: ${what}, ${name}=${JSON.stringify(text)}`, () => {
        assert.throws(
          () => readSettings({ [name]: text }),
          (error) => {
            assert.ok(error instanceof UsageError, String(error));
            assert.ok(error.message.startsWith(`${name} is "`), error.message);
            assert.match(error.message, says);
            assert.ok(!error.message.includes(SECRET), error.message);
            return true;
          },
        );
      });
    }
  }

  it('is refused alike by commands, with 2, on stderr alone', async () => {
    for (const args of [['doctor'], ['migrate'], ['serve'], ['dealer', 'list']]) {
      const { code, stdout, stderr } = await command(args, { DATABASE_URL: `"postgres://u:${SECRET}@h/d"` });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^telle: DATABASE_URL is "…@h\/d"": it must be sqlite:<file>.*, without quotes/);
    }
  });
});

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
  ['postgres://h/d?user=u@x&password=p', 'postgres://…@x&password=…'],
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

  for (const url of ['sqlite://data/telle.db', 'sqlite:~/telle.db', 'sqlite: telle.db', 'sqlite:telle.db\n']) {
    it(`is not one that names a file that nobody means: ${JSON.stringify(url)}`, () => {
      assert.throws(() => readSettings({ DATABASE_URL: url }), { name: 'UsageError', message: /^DATABASE_URL is "/ });
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
