/** In production nobody is let in whom nobody invited: no dealer that any page may join, and no token in what is kept. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { command } from '../support/command.ts';
import { listening, Process, type ServerProcess, SOURCE, startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { Tally } from '../support/tally.ts';

/** What hangs is ended after this, in ms. */
const PATIENCE = 60_000;
const PRODUCTION = { NODE_ENV: 'production' };
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

async function served(cwd: string, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startProcess({ cwd, env, patience: PATIENCE });
  await server.kill('SIGTERM');
  return server;
}

describe('Production', { timeout: 300_000 }, () => {
  const tally = new Tally('Production');
  after(() => tally.print());

  test('begins without a dealer, and says how to make one', () =>
    tally.scenario('a new database', (attempt) =>
      attempt('NODE_ENV=production', () =>
        inFolder(async (cwd) => {
          const { stdout } = await served(cwd, PRODUCTION);
          assert.doesNotMatch(stdout, TOKEN);
          assert.equal((await telle(['dealer', 'list'], { cwd })).stdout, '');
          const [add = ''] = /^telle dealer add .*$/m.exec(stdout) ?? [];
          assert.match(add, /--origin https:/);
          assert.match(stdout, /^telle token --role admin --dealer main-street /m);
          const [, name = ''] = /^telle dealer add (\S+)/.exec(add) ?? [];
          assert.equal((await telle(['dealer', 'add', name], { cwd })).code, 0);
          assert.doesNotMatch((await served(cwd, PRODUCTION)).stdout, /dealer add/);
        }),
      ),
    ));

  test('tells of the demo that it was begun with, until that is removed or no longer open to all', () =>
    tally.scenario('a demo from before', (attempt) =>
      attempt('NODE_ENV=production', () =>
        inFolder(async (cwd) => {
          const doctor = () =>
            command(['doctor'], { ...PRODUCTION, DATABASE_URL: `sqlite:${join(cwd, 'data/telle.db')}` });
          const told = /any web page may join the dealer demo: telle dealer remove demo/;
          assert.match((await served(cwd, {})).stdout, /Try it/);
          const { stdout, stderr } = await served(cwd, PRODUCTION);
          assert.doesNotMatch(stdout, TOKEN);
          assert.match(stderr, told);
          assert.match(
            (await doctor()).stdout,
            /^! database +any web page may join the dealer demo\n +→ telle dealer/m,
          );
          await telle(['dealer', 'add', 'demo', '--origin', 'https://cars.example'], { cwd });
          assert.doesNotMatch((await served(cwd, PRODUCTION)).stderr, told);
          assert.doesNotMatch((await doctor()).stdout, /any web page/);
        }),
      ),
    ));

  test('is what a server is taken for whose greeting goes to systemd’s journal', () =>
    tally.scenario('the journal', async (attempt) => {
      for (const [what, stream, isKept] of [
        ['stdout is the journal', 1, true],
        ['stderr alone is the journal', 2, false],
      ] as const) {
        await attempt(what, () =>
          inFolder(async (cwd) => {
            // As systemd does: the environment says which device and inode the journal's stream is.
            const script = `exec 3>&${stream}; export JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/3); exec "$@"`;
            const server = await listening(
              new Process(['sh', '-c', script, 'sh', ...SOURCE], ['serve'], {
                cwd,
                env: { PORT: '0', LOG_LEVEL: 'silent' },
                patience: PATIENCE,
              }),
            );
            await server.kill('SIGTERM');
            assert.equal(TOKEN.test(server.stdout), !isKept, server.stdout);
          }),
        );
      }
    }));
});
