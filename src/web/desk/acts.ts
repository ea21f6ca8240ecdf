/** Acts of an agent: each happens here as soon as it is acked, and some can be undone for a while. */
import { type AckPayload, type Channel, type Client, type Payload as Sending, TelleError } from '../../client/index.ts';
import { type Conversation, nameOf, type Payload } from './conversation.ts';
import type { Picture } from './picture.ts';
import type { Shelf } from './shelf.ts';
import type { SignIn } from './sign-in.ts';
import { text } from './texts.ts';
import { Undoing } from './undoing.ts';

interface ActsOptions {
  readonly me: SignIn;
  readonly client: Client<'admin'>;
  readonly picture: Picture;
  readonly drafts: Shelf;
  /** Something is to be told to the agent, in words. */
  readonly tell: (text: string) => void;
}

/** The name of an announcement's draft, and of the act: no conversation has it. */
export const ANNOUNCEMENT = '@dealer';

type Owned = Pick<Conversation, 'groupId' | 'assignee'>;

/** The name of the act: no conversation has a slash in its own. */
const takingOver = (groupId: string): string => `mute/${groupId}`;

export class Acts {
  readonly undoing: Undoing;
  readonly me: SignIn;
  readonly #options: ActsOptions;

  constructor(options: ActsOptions) {
    this.#options = options;
    this.me = options.me;
    this.undoing = new Undoing(() => options.picture.changed());
  }

  /** Says that this agent has a conversation open, or has left it. */
  present(groupId: string, online: boolean): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'UPDATE_CHAT', dealerId, groupId, adminId, user: 'admin', online } as const;
    this.act('chat_state', { type: 'UPDATE_CHAT', groupId, online }, event);
  }

  typing(groupId: string, typing: boolean): void {
    this.#options.client.send('typing', { type: 'TYPING', groupId, typing }).catch(() => {});
  }

  /** Takes it from the bot, and from whoever has it, at once: the bot must not go on meanwhile. */
  async takeOver(conversation: Conversation): Promise<void> {
    const { groupId, assignee, mutedBy } = conversation;
    const { adminId } = this.me;
    if (!(await this.assign(conversation, adminId))) return;
    if (mutedBy !== adminId) await this.#mute(groupId, 'MUTE_BOT');
    const back = async () => {
      await this.assign({ groupId, assignee: adminId }, assignee);
      if (mutedBy === null) await this.#mute(groupId, 'UNMUTE_BOT');
    };
    this.undoing.do(takingOver(groupId), { text: text('you took over'), back });
  }

  /** Lets go of it: it is the bot's again, where there is one, or anybody's. */
  async handBack(conversation: Conversation): Promise<void> {
    const isMine = await this.assign(conversation, null);
    if (isMine && conversation.mutedBy !== null) await this.#mute(conversation.groupId, 'UNMUTE_BOT');
  }

  /** [P-12.3] Gives it to an agent, or to nobody, unless it is another's by now than this agent sees. Tells whether it was. */
  async assign({ groupId, assignee: expect }: Owned, assignee: string | null): Promise<boolean> {
    if (expect === assignee) return true;
    const { dealerId, adminId } = this.me;
    const event = { type: 'ASSIGNED', dealerId, groupId, adminId, assignee, reason: 'asked' } as const;
    return this.act('assign', { type: 'ASSIGN', groupId, assignee, expect }, event);
  }

  #mute(groupId: string, type: 'MUTE_BOT' | 'UNMUTE_BOT'): Promise<boolean> {
    const { dealerId, adminId } = this.me;
    const event = { type: 'MUTE_STATUS', dealerId, groupId, adminId, muted: type === 'MUTE_BOT' } as const;
    return this.act('mute_bot', { type, groupId }, event);
  }

  isClosing(groupId: string): boolean {
    return this.undoing.has(groupId);
  }

  /** Closes it, once that cannot be undone any more: nobody is told of one that is. */
  closeChat(conversation: Conversation): void {
    const { groupId } = conversation;
    const act = { text: text('closing', { name: nameOf(conversation) }), go: () => this.#close(groupId) };
    this.undoing.do(groupId, act);
  }

  #close(groupId: string): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'CLOSE_CHAT', dealerId, groupId, adminId, user: 'admin', close: true } as const;
    this.act('close_chat', { type: 'CLOSE_CHAT', groupId }, event);
  }

  /** Announces, once that cannot be undone any more. Its draft is kept until it was taken. */
  announce(message: string): void {
    const act = { text: text('announcing'), go: () => void this.#announce(message) };
    this.undoing.do(ANNOUNCEMENT, act);
  }

  async #announce(message: string): Promise<void> {
    try {
      await this.#options.client.send('sys_message', { type: 'SYS_MSG', message });
      this.#options.drafts.drop(ANNOUNCEMENT);
      this.#options.tell(text('announced'));
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      this.#options.tell(text('not announced', { fault: error.message }));
    }
  }

  /** Sends, and lets the event happen here when it is acked. Tells whether it was. */
  async act<C extends Channel<'admin'>>(channel: C, payload: Sending<'admin', C>, event: Payload): Promise<boolean> {
    try {
      this.own(event, await this.#options.client.send(channel, payload));
      return true;
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      if (error.code === 'conflict') this.#options.tell(text('taken meanwhile'));
      else if (error.code !== 'closed') this.#options.tell(text('not done', { fault: error.message }));
      return false;
    }
  }

  /** Lets what this agent did happen here: it was acked, and does not come back by itself [P-7]. */
  own(event: Payload, { id, scope, seq, at }: AckPayload): void {
    const isStored = scope !== undefined && seq !== undefined && at !== undefined;
    this.#options.picture.happen(event, isStored ? { id, scope, seq, at } : undefined);
  }
}
