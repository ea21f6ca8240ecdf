/** Which commands there are: their flags, their help, and what runs them. */

import type { TSchema } from '@sinclair/typebox';
import { type Command, Option } from 'commander';
import { Settings } from '../../schemas/settings.ts';
import type { ChatRequest } from './chat.ts';
import { readConfig } from './config.ts';
import type { ConformanceRequest } from './conformance.ts';
import type { DealerRequest } from './dealer.ts';
import type { ExportRequest } from './export.ts';
import type { ImportRequest } from './import.ts';
import type { PruneRequest } from './prune.ts';
import type { PublishRequest } from './publish.ts';
import type { RevokeRequest } from './revoke.ts';
import { flagOf, readSettings, SETTING_NAMES } from './settings.ts';
import { gather } from './sources.ts';
import type { TailRequest } from './tail.ts';
import type { TokenRequest } from './token.ts';
import { UsageError } from './usage-error.ts';

/** The server that a command speaks to, unless told otherwise. */
const LOCAL = 'http://127.0.0.1:8080';

type Named = (typeof SETTING_NAMES)[number];

/** A flag for a setting, which the environment may give as well. */
function settingOption(name: Named): Option {
  const schema: TSchema = Settings.properties[name];
  const { description, default: preset } = schema;
  const words = 'enum' in schema ? `; one of ${schema.enum.join(', ')}` : '';
  const shown =
    preset === undefined ? '' : ` (default: ${typeof preset === 'boolean' ? (preset ? 'on' : 'off') : preset})`;
  return new Option(`${flagOf(name)} <value>`, `${description}${words}${shown}`).env(name);
}

/** The settings that a command runs with: its flags first, then the environment, then its file. */
function settingsOf(command: Command): Settings {
  const options = SETTING_NAMES.flatMap((name) => {
    const option = command.options.find(({ envVar }) => envVar === name);
    return option === undefined ? [] : [{ name, key: option.attributeName() }];
  });
  const typed = options.filter(({ key }) => command.getOptionValueSource(key) === 'cli');
  const flags = Object.fromEntries(typed.map(({ name, key }) => [name, command.getOptionValue(key)]));
  const file: unknown = command.getOptionValue('config');
  const sources = [flags, process.env, typeof file === 'string' ? readConfig(file) : {}];
  return readSettings(
    gather(
      options.map(({ name }) => name),
      sources,
    ),
  );
}

const configOption = () => new Option('--config <file>', 'settings in a file, .toml or .json').env('TELLE_CONFIG');

/** Help on a command: what it does, an example, and the settings that it heeds. */
interface CommandHelp {
  readonly summary: string;
  readonly example: string;
  readonly settings: readonly Named[];
  /** Settings that it heeds besides, though they are the server's: which secret that has, and whether it may be short. */
  readonly servers?: readonly Named[];
}

function add(parent: Command, usage: string, { summary, example, settings, servers = [] }: CommandHelp): Command {
  const command = parent.command(usage).description(summary).addHelpText('after', `\nExample:\n  ${example}`);
  for (const name of settings) command.addOption(settingOption(name));
  for (const name of servers) command.addOption(settingOption(name).hideHelp());
  return settings.length + servers.length === 0 ? command : command.addOption(configOption());
}

const urlOption = (what = 'the server') => new Option('--url <url>', what).default(LOCAL).argParser(urlOf);

/** @throws UsageError where it is no address of a server's */
function urlOf(text: string): string {
  if (/^https?:\/\/./i.test(text) && URL.canParse(text)) return text;
  throw new UsageError('--url must be http://<host>:<port>, or https://<host>');
}

const tokenOption = () =>
  new Option('--token <token>', "whose rights to use; without it, a token is made with this machine's secret").env(
    'TELLE_TOKEN',
  );

// Each loads what it needs when it runs: help need not wait for a server's modules.

function serve(program: Command): void {
  add(program, 'serve', {
    summary: 'Run the server (SIGTERM drains it)',
    example: 'telle serve --port 9000 --database-url sqlite:/var/lib/telle/telle.db',
    settings: SETTING_NAMES,
  }).action(async (_, self: Command) => (await import('./serve.ts')).serve(settingsOf(self), () => settingsOf(self)));
}

function migrate(program: Command): void {
  add(program, 'migrate', {
    summary: "Bring the database's tables up to date, and end",
    example: 'telle migrate --database-url sqlite:data/telle.db',
    settings: ['DATABASE_URL'],
  })
    .option(
      '--plan',
      'say which migrations it is to have, what each locks or writes anew and for how long; change nothing',
    )
    .action(async ({ plan }: { plan?: boolean }, self: Command) => {
      const { migrateDatabase, planMigrations } = await import('./migrate.ts');
      await (plan ? planMigrations : migrateDatabase)(settingsOf(self));
    });
}

function token(program: Command): void {
  add(program, 'token', {
    summary: 'Print a token, or a link to the desk that signs in once, and nothing else',
    example: 'telle token --role admin --dealer d1 --sub a1 --ttl 12h',
    settings: ['DATABASE_URL', 'AUTH_SECRET'],
    servers: ['HOST', 'REDIS_URL'],
  })
    .requiredOption('--role <role>', 'customer, admin or server')
    .requiredOption('--dealer <dealerId>', 'the dealer; * for a server of all dealers')
    .requiredOption('--sub <name>', "the groupId, the adminId, or the server's name")
    .option('--ttl <time>', 'how long it holds: 30m, 12h, 30d', '12h')
    .option('--link', 'for an admin: a link to the desk, good once within a minute, in place of the token')
    .option('--init', 'make the secret where there is none, for a server that has not started yet')
    .addOption(urlOption())
    .action(async (request: TokenRequest, self: Command) =>
      (await import('./token.ts')).printToken(settingsOf(self), request),
    );
}

function revoke(program: Command): void {
  add(program, 'revoke', {
    summary: 'Take back the tokens of somebody, or of a whole dealer, that were made until now',
    example: 'telle revoke --dealer d1 --role admin --sub a1',
    settings: ['DATABASE_URL', 'AUTH_SECRET'],
  })
    .requiredOption('--dealer <dealerId>', 'the dealer; * for servers of all dealers')
    .option('--role <role>', 'customer, admin or server; everybody of the dealer when absent')
    .option('--sub <name>', "the groupId, the adminId, or the server's name")
    .action(async (request: RevokeRequest, self: Command) =>
      (await import('./revoke.ts')).revoke(settingsOf(self), request),
    );
}

function dealer(program: Command): void {
  const parent = program.command('dealer').description('Make, list and remove dealers, in the database itself');
  const settings = ['DATABASE_URL'] as const;
  add(parent, 'add <dealerId>', {
    summary: 'Make a dealer, or give one other settings',
    example: 'telle dealer add main-street --name "Main Street Cars" --origin https://cars.example',
    settings,
  })
    .option('--name <name>', 'what it is called')
    .option('--email <address>', 'where it can be reached: a lead as ADF says so')
    .option('--phone <number>', 'the same')
    .option('--origin <origins...>', 'pages from which chatbots may join: https://cars.example, or * for any')
    .option('--retention-days <days>', 'conversations that are older are erased')
    .option('--claims <which>', 'groups that may be claimed without a token: any, made (no name is chosen) or off')
    .option(
      '--group-key <which>',
      'what opens a group that exists: token, or for a time id, its name (docs/security.md)',
    )
    .option('--group-key-until <day>', 'the end of that: 2026-12-31')
    .option('--init', 'make the database where there is none, for a server that has not started yet')
    .action(async (dealerId: string, request: DealerRequest, self: Command) =>
      (await import('./dealer.ts')).addDealer(settingsOf(self), dealerId, request),
    );
  add(parent, 'list', { summary: 'List the dealers', example: 'telle dealer list --json', settings })
    .option('--json', 'a JSON object a line')
    .action(async (request: { json?: boolean }, self: Command) =>
      (await import('./dealer.ts')).listDealers(settingsOf(self), request),
    );
  add(parent, 'remove <dealerId>', {
    summary: 'Remove a dealer and all that it has',
    example: 'telle dealer remove demo --yes',
    settings,
  })
    .option('--yes', 'do not ask')
    .action(async (dealerId: string, request: { yes?: boolean }, self: Command) =>
      (await import('./dealer.ts')).removeDealer(settingsOf(self), dealerId, request),
    );
}

function chat(program: Command): void {
  add(program, 'chat', {
    summary: 'Chat from this terminal, as a customer or as an admin',
    example: 'telle chat --dealer demo',
    settings: ['DATABASE_URL', 'AUTH_SECRET'],
    servers: ['HOST', 'REDIS_URL'],
  })
    .requiredOption('--dealer <dealerId>', 'the dealer')
    .option('--group <groupId>', 'the conversation; a new one for a customer who names none')
    .option('--admin <adminId>', 'chat as this admin, in the conversation of --group')
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(async (request: ChatRequest, self: Command) => (await import('./chat.ts')).chat(settingsOf(self), request));
}

function tail(program: Command): void {
  add(program, 'tail', {
    summary: 'Show every event of a dealer as it happens',
    example: 'telle tail --dealer demo --json',
    settings: ['DATABASE_URL', 'AUTH_SECRET'],
    servers: ['HOST', 'REDIS_URL'],
  })
    .requiredOption('--dealer <dealerId>', 'the dealer; * for all of them')
    .option('--json', 'the frames themselves, one a line')
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(async (request: TailRequest, self: Command) => (await import('./tail.ts')).tail(settingsOf(self), request));
}

function publish(program: Command): void {
  add(program, 'publish [words...]', {
    summary: 'Send events as another server does: JSON, field=value words, or lines of JSON from stdin',
    example: "telle publish type=UPDATE_MSG dealerId=demo groupId=g1 user=bot message='Hello!'",
    settings: ['DATABASE_URL', 'AUTH_SECRET', 'REDIS_URL', 'REDIS_PREFIX'],
    servers: ['HOST'],
  })
    .option('--file <file>', 'lines of JSON to send, instead of stdin')
    .addOption(urlOption('the server; with a REDIS_URL, events go into its stream instead'))
    .addOption(tokenOption())
    .action(async (words: string[], request: PublishRequest, self: Command) =>
      (await import('./publish.ts')).publish(settingsOf(self), words, request),
    );
}

function exportOne(program: Command): void {
  add(program, 'export', {
    summary: 'Write everything of a dealer, or of one of its customers, as NDJSON, a line each',
    example: 'telle export --dealer demo --output demo.ndjson',
    settings: ['DATABASE_URL'],
  })
    .requiredOption('--dealer <dealerId>', 'the dealer')
    .option('--group <groupId>', 'only what is known of this customer')
    .option('--output <file>', 'where to write it, else stdout')
    .option('--resume', 'go on with an export to that file that was broken off')
    .action(async (request: ExportRequest, self: Command) =>
      (await import('./export.ts')).exportDealer(settingsOf(self), request),
    );
}

function importOne(program: Command): void {
  add(program, 'import <file>', {
    summary: "Take in an export of Telle's, or what another system kept: lines of JSON, from a file or (-) stdin",
    example: 'telle import demo.ndjson',
    settings: ['DATABASE_URL', 'AUTH_SECRET'],
    servers: ['HOST', 'REDIS_URL'],
  })
    .addOption(
      new Option(
        '--from <system>',
        "that system's own tables: <file> is then the postgres:// that they are in",
      ).choices(['telle2019']),
    )
    .option('--dry-run', 'count, and list what would not be taken; keep nothing')
    .option('--rejected <file>', 'where what is not understood goes, with the reason: <file>.rejected.ndjson')
    .action(async (file: string, request: ImportRequest, self: Command) =>
      (await import('./import.ts')).importFile(settingsOf(self), file, request),
    );
}

function prune(program: Command): void {
  add(program, 'prune', {
    summary: "Erase conversations that are older than their dealers' retentionDays",
    example: 'telle prune',
    settings: ['DATABASE_URL', 'AUTH_SECRET'],
    servers: ['HOST', 'REDIS_URL'],
  })
    .addOption(urlOption('the server that has the embedded database, which does it then'))
    .addOption(tokenOption())
    .action(async (request: PruneRequest, self: Command) =>
      (await import('./prune.ts')).pruneDatabase(settingsOf(self), request),
    );
}

function doctor(program: Command): void {
  add(program, 'doctor', {
    summary: 'Say what a server would meet: secret, database, disk, ports, Redis, clocks, limits; and what to do',
    example: 'telle doctor',
    settings: SETTING_NAMES,
  }).action(async (_, self: Command) => (await import('./doctor.ts')).examine(settingsOf(self)));
}

function backup(program: Command): void {
  add(program, 'backup <file>', {
    summary: 'Copy the embedded database while the server runs',
    example: 'telle backup telle-backup.db',
    settings: ['DATABASE_URL'],
  }).action(async (file: string, _, self: Command) => (await import('./backup.ts')).backUp(settingsOf(self), file));
}

function restore(program: Command): void {
  add(program, 'restore <file>', {
    summary: 'Put a back-up in the place of the embedded database, while no server runs',
    example: 'telle restore telle-backup.db',
    settings: ['DATABASE_URL'],
  }).action(async (file: string, _, self: Command) => (await import('./restore.ts')).restore(settingsOf(self), file));
}

function move(program: Command): void {
  add(program, 'move', {
    summary: 'Copy the whole database to another, SQLite or Postgres, while no server runs, and compare the two',
    example: 'telle move --to postgres://telle@db.example/telle',
    settings: ['DATABASE_URL'],
  })
    .addOption(
      new Option('--to <url>', 'where to: sqlite:<file> or postgres://…, new or empty')
        .env('TELLE_MOVE_TO')
        .makeOptionMandatory(),
    )
    .action(async ({ to }: { to: string }, self: Command) => (await import('./move.ts')).move(settingsOf(self), to));
}

function conformance(program: Command): void {
  add(program, 'conformance <url>', {
    summary: 'Try the promises of the protocol on any server that claims to speak it',
    example: 'telle conformance wss://chat.example/ws',
    settings: [],
  })
    .addOption(
      new Option('--secret <secret>', "the server's, with which dealers and tokens are made").env('AUTH_SECRET'),
    )
    .option('--dealer <dealerId>', 'a dealer that there is; else one is made, and removed again')
    .option('--server-token <token>', "a server's of that dealer, in place of the secret")
    .option('--admin-token <token>', "an admin's of that dealer, in place of the secret")
    .action(async (url: string, { secret, ...tokens }: ConformanceRequest, self: Command) => {
      // What is typed goes before what the environment has for another server.
      const isMeant = self.getOptionValueSource('secret') === 'cli' || !(tokens.serverToken ?? tokens.adminToken);
      await (await import('./conformance.ts')).tryServer(url, { ...tokens, ...(isMeant && secret && { secret }) });
    });
}

/** Every command, in the order of the help. */
export const COMMANDS = [
  serve,
  migrate,
  token,
  revoke,
  dealer,
  chat,
  tail,
  publish,
  exportOne,
  importOne,
  prune,
  doctor,
  backup,
  restore,
  move,
  conformance,
] as const;
