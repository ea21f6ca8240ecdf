/** `telle chat`: a chat from the terminal, as a customer or as an admin. */
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Static } from '@sinclair/typebox';
import { type Choice, choicesOf } from '../../schemas/content.ts';
import type { ChatMsg, Event } from '../../schemas/delivered.ts';
import type { Settings } from '../../schemas/settings.ts';
import { type Client, connect, TelleError } from '../client/index.ts';
import { inWords, plainText } from '../protocol/words.ts';
import { endsAnswer, growingIn, onOneRow } from './growing.ts';
import { ended, endpointOf } from './online.ts';
import { tokenFor } from './server-token.ts';
import { painter } from './style.ts';
import { UsageError } from './usage-error.ts';

/** Time after the last key at which somebody no longer types, in ms. */
const TYPING_PAUSE = 3_000;
/** Time after which an answer that grows no more is not waited for, in ms. */
const GROWING_PAUSE = 8_000;

export interface ChatRequest {
  readonly url: string;
  readonly dealer: string;
  readonly token?: string;
  readonly group?: string;
  readonly admin?: string;
}

/** Voice of either side in its chat: they differ in the channels and in who may mute. */
interface Voice {
  say(text: string): Promise<unknown>;
  typing(typing: boolean): Promise<unknown>;
  close(): Promise<unknown>;
  mute(muted: boolean): Promise<unknown>;
}

/** Chats until it is interrupted, or its input ends. */
export async function chat(settings: Settings, request: ChatRequest): Promise<void> {
  const { client, voice } =
    request.admin === undefined ? asCustomer(request) : await asAdmin(settings, request, request.admin);
  const terminal = new Terminal(voice);
  for (const channel of [
    'CHAT_MESSAGE',
    'MUTE_STATE',
    'CLOSE_CHAT',
    'SYS_MESSAGE',
    'CHAT_STATE',
    'TYPING_STATE',
  ] as const) {
    client.on(channel, (event, _stamp?) => {
      if (isOfChat(event, request, client)) terminal.show(event);
    });
  }
  client.on('gap', () => terminal.note('-- some of what was said is not shown: it is too long ago'));
  terminal.onEnd.then(() => client.close());
  await ended(client, 'in the chat').finally(() => terminal.end());
  const { groupId, token } = client.session ?? {};
  if (token !== undefined) {
    const flags = `--url ${request.url} --dealer ${request.dealer} --group ${groupId} --token ${token}`;
    process.stderr.write(`-- to come back: telle chat ${flags}\n`);
  }
}

/** An admin's socket hears every chat of the dealer: this is about the one that is open. */
function isOfChat(event: Event, { group }: ChatRequest, { session }: Client<'customer'> | Client<'admin'>): boolean {
  const own = group ?? session?.groupId;
  return !('groupId' in event) || event.groupId === undefined || event.groupId === own;
}

function asCustomer({ url, dealer, token, group }: ChatRequest) {
  const client = connect({
    role: 'customer',
    url: endpointOf(url),
    dealerId: dealer,
    ...(group !== undefined && { groupId: group }),
    ...(token !== undefined && { token }),
    ...(group !== undefined && token !== undefined && { since: { [group]: 0 } }),
  });
  const offer = new Offer();
  client.on('CHAT_MESSAGE', (said, { seq }) => offer.hear(said, seq));
  const voice: Voice = {
    say: (text) => client.send('customer_message', { type: 'UPDATE_MSG', ...offer.answer(text) }),
    typing: (typing) => client.send('typing', { type: 'TYPING', typing }),
    close: () => client.send('close_chat', { type: 'CLOSE_CHAT' }),
    mute: async () => {
      throw new UsageError('only an admin mutes the bot');
    },
  };
  return { client, voice };
}

/** [P-18.1] The choices that were offered last, by their numbers, until one of them is taken. */
class Offer {
  #seq = 0;
  #choices: readonly Choice[] = [];

  hear({ content, replyTo }: Static<typeof ChatMsg>, seq: number): void {
    if (content && choicesOf(content).length > 0) [this.#seq, this.#choices] = [seq, choicesOf(content)];
    else if (replyTo === this.#seq) this.#choices = [];
  }

  /** Says what was typed, or the choice of that number. */
  answer(text: string): { message: string; replyTo?: number; value?: string } {
    const choice = /^\d+$/.test(text) ? this.#choices[Number(text) - 1] : undefined;
    if (!choice) return { message: text };
    this.#choices = [];
    return { message: choice.label, replyTo: this.#seq, ...(choice.value !== undefined && { value: choice.value }) };
  }
}

async function asAdmin(settings: Settings, { url, dealer, token, group: groupId }: ChatRequest, adminId: string) {
  if (groupId === undefined) throw new UsageError('--group is missing: an admin chats in a group that there is');
  const client = connect({
    role: 'admin',
    url: endpointOf(url),
    dealerId: dealer,
    adminId,
    token: await tokenFor(settings, token, { role: 'admin', dealer, sub: adminId }),
    since: { [groupId]: 0 },
  });
  client.on('session', () => {
    client.send('chat_state', { type: 'UPDATE_CHAT', groupId, online: true }).catch(() => {});
  });
  const voice: Voice = {
    say: (message) => client.send('admin_message', { type: 'UPDATE_MSG', groupId, message }),
    typing: (typing) => client.send('typing', { type: 'TYPING', groupId, typing }),
    close: () => client.send('close_chat', { type: 'CLOSE_CHAT', groupId }),
    mute: (muted) => client.send('mute_bot', { type: muted ? 'MUTE_BOT' : 'UNMUTE_BOT', groupId }),
  };
  return { client, voice };
}

const HELP =
  '/close closes the chat, /mute and /unmute silence the bot and let it speak, /quit leaves; a number takes that choice, anything else is said';

/** The lines that are typed, below those that are said. */
class Terminal {
  readonly #voice: Voice;
  readonly #lines: Interface;
  readonly #paint = painter(process.stdout);
  #typing: NodeJS.Timeout | undefined;
  /** [P-18.2] The bot's answer so far; null: none grows. */
  #growing: string | null = null;
  #growingEnds: NodeJS.Timeout | undefined;
  /** True while it has the row above what is being typed. */
  #isDrawn = false;
  /** Sends that were typed and are not done yet. */
  readonly #pending = new Set<Promise<void>>();
  /** Resolves when nothing more is typed, and all that was is done. */
  readonly onEnd: Promise<void>;

  constructor(voice: Voice) {
    this.#voice = voice;
    const { stdin: input, stdout: output } = process;
    const terminal = input.isTTY && output.isTTY;
    this.#lines = createInterface({ input, output, prompt: terminal ? '> ' : '', terminal });
    this.onEnd = once(this.#lines, 'close').then(async () => void (await Promise.all(this.#pending)));
    this.#lines.on('line', (line) => this.#take(line.trim()));
    if (input.isTTY) input.on('keypress', () => this.#keyed());
    // Before the line is taken, and what is typed has another row.
    if (terminal)
      input.prependListener(
        'keypress',
        (_, { name }) => this.#isDrawn && /^(return|enter)$/.test(name) && this.#draw('', null),
      );
    this.#lines.prompt();
  }

  end(): void {
    clearTimeout(this.#typing);
    clearTimeout(this.#growingEnds);
    this.#lines.close();
    process.stdin.destroy(); // an open pipe would keep the process
  }

  show(event: Event): void {
    const growing = growingIn(event);
    if (growing !== null) {
      this.#grow(growing);
      return;
    }
    const isOver = this.#growing !== null && endsAnswer(event);
    if (isOver) this.#growing = null;
    // That the bot typed was shown by what it has typed.
    if (isOver && event.type === 'TYPING') this.#draw('');
    else this.note(this.#painted(event));
  }

  #painted(event: Event): string {
    const words = inWords(event);
    if (words.startsWith('--')) return this.#paint('dim', words);
    return this.#paint(event.type === 'SYS_MSG' ? 'yellow' : 'cyan', words);
  }

  /** Writes a line above what is being typed. */
  note(text: string): void {
    this.#draw(`${text}\n`);
  }

  /** Shows an answer as it grows, where that can be taken back; elsewhere its message is all that is written. */
  #grow(text: string): void {
    this.#growing = text;
    clearTimeout(this.#growingEnds);
    this.#growingEnds = setTimeout(() => {
      this.#growing = null;
      this.#draw('');
    }, GROWING_PAUSE);
    this.#draw('');
  }

  /** Writes lines above what is being typed, and between them, on a row of its own, what the bot has written so far. */
  #draw(lines: string, growing = this.#growing): void {
    const { stdout } = process;
    if (!stdout.isTTY) {
      stdout.write(lines);
      return;
    }
    const rows = this.#lines.terminal ? this.#lines.getCursorPos().rows : 0;
    const up = rows + Number(this.#isDrawn);
    const row = growing === null ? '' : `${this.#paint('dim', onOneRow(`bot: ${growing}`, stdout.columns || 80))}\n`;
    // The prompt begins as many rows above the cursor as it did before.
    stdout.write(`${up > 0 ? `\x1b[${up}A` : ''}\r\x1b[J${lines}${row}${'\n'.repeat(rows)}`);
    this.#isDrawn = growing !== null;
    this.#lines.prompt(true);
  }

  #take(line: string): void {
    this.#typed();
    this.#lines.prompt();
    if (line === '') return;
    const doing = this.#do(line)
      .catch((error: unknown) => this.note(this.#paint('red', `-- ${faultOf(error)}`)))
      .finally(() => this.#pending.delete(doing));
    this.#pending.add(doing);
  }

  async #do(line: string): Promise<void> {
    switch (line) {
      case '/quit':
        return this.#lines.close();
      case '/help':
        return this.note(this.#paint('dim', `-- ${HELP}`));
      case '/close':
        return void (await this.#voice.close());
      case '/mute':
      case '/unmute':
        return void (await this.#voice.mute(line === '/mute'));
      default:
        await this.#voice.say(line);
    }
  }

  /** Tells that somebody types, once, and that it is over when no key comes any more, or nothing is left to be said. */
  #keyed(): void {
    if (this.#lines.line === '') {
      this.#typed();
      return;
    }
    if (!this.#typing) this.#voice.typing(true).catch(() => {});
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#typed(), TYPING_PAUSE);
  }

  #typed(): void {
    if (!this.#typing) return;
    clearTimeout(this.#typing);
    this.#typing = undefined;
    this.#voice.typing(false).catch(() => {});
  }
}

const faultOf = (error: unknown): string =>
  error instanceof TelleError
    ? `not said: ${plainText(error.message)}`
    : error instanceof Error
      ? error.message
      : String(error);
