/** What every command has in common, as whoever types it meets it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TSchema } from '@sinclair/typebox';
import { Command } from 'commander';
import { Settings } from '../../schemas/settings.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { command } from '../support/command.ts';

/** The words of every command that does something; those that only hold others are passed over. */
function wordsOf(parent: Command): string[][] {
  return parent.commands.flatMap((each) =>
    each.commands.length > 0 ? wordsOf(each).map((words) => [each.name(), ...words]) : [[each.name()]],
  );
}

const program = new Command('telle');
for (const add of COMMANDS) add(program);

/** What is asked for wrongly of each command, and the sentence that says so. */
const MISUSES: readonly (readonly [args: readonly string[], sentence: RegExp])[] = [
  [['chat'], /required option '--dealer <dealerId>' not specified/],
  [['tail'], /required option '--dealer <dealerId>' not specified/],
  [['dealer', 'add'], /missing required argument 'dealerId'/],
  [['backup'], /missing required argument 'file'/],
  [['doctor', '--port', 'http'], /PORT is "http": it must be a whole number from 0 to 65535/],
  [['publish', '--redis-url', 'nowhere'], /REDIS_URL is not as it must be, .*: it must be redis/],
  [['chat', '--dealer', 'd1', '--url', 'localhost:8080'], /^telle: --url must be http:\/\/<host>:<port>/],
  [['tail', '--dealer', 'd1', '--url', 'ws://localhost'], /^telle: --url must be http/],
  [['publish', '--url', 'u:hunter2@h', '{}'], /^telle: --url must be http/],
  [['token', '--url', 'https://', '--role', 'admin', '--dealer', 'd', '--sub', 'a'], /^telle: --url must be http/],
  [['dealer', 'lits'], /unknown command 'lits'/],
];

describe('each setting of a few words', () => {
  for (const [name, { enum: words }] of Object.entries<TSchema>(Settings.properties).filter(
    ([, { enum: each }]) => each,
  )) {
    it(`lists them in the help: ${name}`, async () => {
      const { stdout } = await command(['serve', '--help']);
      assert.ok(stdout.replace(/\s+/g, ' ').includes(`one of ${words.join(', ')} (default: `), name);
    });
  }
});

describe('each command', () => {
  for (const words of wordsOf(program)) {
    it(`shows an example of itself: telle ${words.join(' ')} --help`, async () => {
      const { code, stdout, stderr } = await command([...words, '--help']);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, new RegExp(`^Usage: telle ${words.join(' ')} .*\\n\\n[A-Z].*\\n`));
      assert.match(stdout, new RegExp(`\\nExample:\\n {2}telle ${words.join(' ')}( .*)?\\n$`));
    });
  }

  for (const [args, sentence] of MISUSES) {
    it(`refuses with 2 and a sentence: telle ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await command(args);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /^ {4}at /m);
    });
  }
});
