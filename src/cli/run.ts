/** The command line: which commands there are, their flags and help, and how they end. */
import { Command, CommanderError, Option } from 'commander';
import { Settings } from '../../schemas/settings.ts';
import type { ChatRequest } from './chat.ts';
import type { DealerRequest } from './dealer.ts';
import type { ExportRequest } from './export.ts';
import type { PublishRequest } from './publish.ts';
import { flagOf, readSettings, SETTING_NAMES } from './settings.ts';
import type { TailRequest } from './tail.ts';
import type { TokenRequest } from './token.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/** The server that a command speaks to, unless told otherwise. */
const LOCAL = 'http://127.0.0.1:8080';

/** Exit codes: 1, it failed; 2, it was asked wrongly. */
const FAILED = 1;
const MISUSED = 2;

type Named = (typeof SETTING_NAMES)[number];

/** A flag for a setting, which the environment may give as well. */
function settingOption(name: Named): Option {
  const { description, default: preset } = Settings.properties[name];
  const shown =
    preset === undefined ? '' : ` (default: ${typeof preset === 'boolean' ? (preset ? 'on' : 'off') : preset})`;
  return new Option(`${flagOf(name)} <value>`, `${description}${shown}`).env(name);
}

function withSettings(command: Command, names: readonly Named[]): Command {
  for (const name of names) command.addOption(settingOption(name));
  return command;
}

/** The settings that a command runs with: its flags first, then the environment. */
function settingsOf(command: Command): Settings {
  const given = command.options.map(
    (option) => [option.envVar, command.getOptionValue(option.attributeName())] as const,
  );
  return readSettings(Object.fromEntries(given.filter(([name]) => name !== undefined)));
}

/** Each command loads what it needs when it runs: help need not wait for a server's modules. */
function build(): Command {
  const program = new Command('telle')
    .description('Live-chat middleware for car dealers: customers, agents, bots and other servers.')
    .version(version, '-v, --version')
    .exitOverride()
    .showHelpAfterError('Run with --help to see what is possible.');
  const command = (name: string, summary: string, example: string) =>
    program.command(name).description(summary).addHelpText('after', `\nExample:\n  ${example}`);

  withSettings(
    command(
      'serve',
      'Run the server (SIGTERM drains it)',
      'telle serve --port 9000 --database-url sqlite:/var/lib/telle/telle.db',
    ),
    SETTING_NAMES,
  ).action(async (_, self: Command) => (await import('./serve.ts')).serve(settingsOf(self)));

  withSettings(
    command(
      'migrate',
      "Bring the database's tables up to date, and end",
      'telle migrate --database-url sqlite:data/telle.db',
    ),
    ['DATABASE_URL'],
  ).action(async (_, self: Command) => (await import('./migrate.ts')).migrateDatabase(settingsOf(self)));

  withSettings(
    command('token', 'Print a token, and nothing else', 'telle token --role admin --dealer d1 --sub a1 --ttl 12h'),
    ['DATABASE_URL', 'AUTH_SECRET'],
  )
    .requiredOption('--role <role>', 'customer, admin or server')
    .requiredOption('--dealer <dealerId>', 'the dealer; * for a server of all dealers')
    .requiredOption('--sub <name>', "the groupId, the adminId, or the server's name")
    .option('--ttl <time>', 'how long it holds: 30m, 12h, 30d', '12h')
    .action(async (request: TokenRequest, self: Command) =>
      (await import('./token.ts')).printToken(settingsOf(self), request),
    );

  withSettings(
    command(
      'export',
      'Write everything of a dealer as NDJSON, a line each',
      'telle export --dealer demo --output demo.ndjson',
    ),
    ['DATABASE_URL'],
  )
    .requiredOption('--dealer <dealerId>', 'the dealer')
    .option('--output <file>', 'where to write it, else stdout')
    .action(async (request: ExportRequest, self: Command) =>
      (await import('./export.ts')).exportDealer(settingsOf(self), request),
    );

  withSettings(
    command('prune', "Erase conversations that are older than their dealers' retentionDays", 'telle prune'),
    ['DATABASE_URL'],
  ).action(async (_, self: Command) => (await import('./prune.ts')).pruneDatabase(settingsOf(self)));

  const dealer = program.command('dealer').description('Make, list and remove dealers, in the database itself');
  const dealerCommand = (name: string, summary: string, example: string) =>
    withSettings(dealer.command(name).description(summary).addHelpText('after', `\nExample:\n  ${example}`), [
      'DATABASE_URL',
    ]);
  dealerCommand(
    'add <dealerId>',
    'Make a dealer, or give one other settings',
    'telle dealer add main-street --name "Main Street Cars" --origin https://cars.example',
  )
    .option('--name <name>', 'what it is called')
    .option('--email <address>', 'where it can be reached: a lead as ADF says so')
    .option('--phone <number>', 'the same')
    .option('--origin <origins...>', 'pages from which chatbots may join: https://cars.example, or * for any')
    .option('--retention-days <days>', 'conversations that are older are erased')
    .action(async (dealerId: string, request: DealerRequest, self: Command) =>
      (await import('./dealer.ts')).addDealer(settingsOf(self), dealerId, request),
    );
  dealerCommand('list', 'List the dealers', 'telle dealer list --json')
    .option('--json', 'a JSON object a line')
    .action(async (request: { json?: boolean }, self: Command) =>
      (await import('./dealer.ts')).listDealers(settingsOf(self), request),
    );
  dealerCommand('remove <dealerId>', 'Remove a dealer and all that it has', 'telle dealer remove demo --yes')
    .option('--yes', 'do not ask')
    .action(async (dealerId: string, request: { yes?: boolean }, self: Command) =>
      (await import('./dealer.ts')).removeDealer(settingsOf(self), dealerId, request),
    );

  const onlineCommand = (name: string, summary: string, example: string) =>
    withSettings(command(name, summary, example), ['DATABASE_URL', 'AUTH_SECRET'])
      .requiredOption('--dealer <dealerId>', 'the dealer')
      .addOption(new Option('--url <url>', 'the server').default(LOCAL))
      .addOption(
        new Option('--token <token>', 'who joins; made with the secret of this machine when absent').env('TELLE_TOKEN'),
      );

  withSettings(
    command(
      'publish [words...]',
      'Send events as another server does: JSON, field=value words, or lines of JSON from stdin',
      "telle publish type=UPDATE_MSG dealerId=demo groupId=g1 user=bot message='Hello!'",
    ),
    ['DATABASE_URL', 'AUTH_SECRET', 'REDIS_URL', 'REDIS_PREFIX'],
  )
    .addOption(
      new Option('--url <url>', 'the server; with a REDIS_URL, events go into the stream there instead').default(LOCAL),
    )
    .addOption(
      new Option('--token <token>', 'of a server; made with the secret of this machine when absent').env('TELLE_TOKEN'),
    )
    .option('--file <file>', 'lines of JSON to send, instead of stdin')
    .action(async (words: string[], request: PublishRequest, self: Command) =>
      (await import('./publish.ts')).publish(settingsOf(self), words, request),
    );

  onlineCommand('chat', 'Chat from this terminal, as a customer or as an admin', 'telle chat --dealer demo')
    .option('--group <groupId>', 'the conversation; a new one for a customer who names none')
    .option('--admin <adminId>', 'chat as this admin, in the conversation of --group')
    .action(async (request: ChatRequest, self: Command) => (await import('./chat.ts')).chat(settingsOf(self), request));

  onlineCommand('tail', 'Show every event of a dealer as it happens', 'telle tail --dealer demo --json')
    .option('--json', 'the frames themselves, one a line')
    .action(async (request: TailRequest, self: Command) => (await import('./tail.ts')).tail(settingsOf(self), request));

  withSettings(
    command('doctor', 'Check settings, database, Redis, clocks and limits, and say what to do', 'telle doctor'),
    SETTING_NAMES,
  ).action(async (_, self: Command) => (await import('./doctor.ts')).examine(settingsOf(self)));

  withSettings(
    command('backup <file>', 'Copy the embedded database while the server runs', 'telle backup telle-backup.db'),
    ['DATABASE_URL'],
  ).action(async (file: string, _, self: Command) => (await import('./backup.ts')).backUp(settingsOf(self), file));

  return program;
}

/** Runs one command. Faults go to stderr in one sentence, and end in an exit code. */
export async function run(args: readonly string[]): Promise<void> {
  // Whoever read it has gone, as `head` does: there is nobody to go on for.
  process.stdout.once('error', () => process.exit());
  try {
    await build().parseAsync(args.length === 0 ? ['help'] : [...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : MISUSED;
      return;
    }
    process.stderr.write(`telle: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof UsageError ? MISUSED : FAILED;
  }
}
