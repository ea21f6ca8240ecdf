/** Messages of this agent's that are on their way, or were refused. */
import { type Client, TelleError } from '../../client/index.ts';
import { newId } from '../../client/platform.ts';
import type { Acts } from './acts.ts';
import type { Picture } from './picture.ts';
import type { Readings } from './readings.ts';
import { type Sent, SentShelf } from './sent.ts';
import type { Shelf } from './shelf.ts';
import { text } from './texts.ts';

interface SendingOptions {
  readonly client: Client<'admin'>;
  readonly acts: Acts;
  readonly picture: Picture;
  readonly readings: Readings;
  readonly drafts: Shelf;
}

export class Sending {
  readonly #options: SendingOptions;
  readonly #shelf: SentShelf;

  constructor(options: SendingOptions) {
    this.#options = options;
    this.#shelf = new SentShelf(options.drafts);
  }

  /** Sends what was on its way when the page was left. */
  resume(): void {
    for (const sent of this.#shelf.all) if (sent.fault === undefined) this.#send(sent);
  }

  /** Forgets those of a conversation that is there no more. */
  forget(groupId: string): void {
    this.#shelf.drop((sent) => sent.groupId === groupId);
  }

  /** [P-3.1] Moves those of a conversation that goes on under another name. */
  move(groupId: string, to: string): void {
    for (const sent of this.#shelf.all) if (sent.groupId === groupId) this.#shelf.put({ ...sent, groupId: to });
  }

  /** Messages of the open conversation that are on their way, or were refused. */
  get unsent(): readonly Sent[] {
    return this.#shelf.all.filter(({ groupId }) => groupId === this.#options.picture.chat?.groupId);
  }

  say(groupId: string, message: string): void {
    this.#options.acts.undoing.undo(groupId);
    this.#send({ id: newId(), groupId, message, ...this.#asSeen(groupId) });
  }

  /** Sends again what was refused. */
  retry({ id, groupId, message }: Sent): void {
    this.#send({ id, groupId, message, ...this.#asSeen(groupId) });
  }

  #asSeen(groupId: string): Pick<Sent, 'expect'> {
    const conversation = this.#options.picture.conversations.get(groupId);
    return conversation ? { expect: conversation.assignee } : {};
  }

  discard({ id }: Sent): void {
    this.#shelf.drop((sent) => sent.id === id);
    this.#options.picture.changed();
  }

  async #send(sent: Sent): Promise<void> {
    const { id, groupId, message, expect } = sent;
    this.#shelf.put(sent);
    this.#options.picture.changed();
    try {
      const said = {
        type: 'UPDATE_MSG',
        groupId,
        message,
        ...(expect !== undefined && { expectAssignee: expect }),
      } as const;
      const ack = await this.#options.client.send('admin_message', said, { id });
      this.#shelf.drop((other) => other.id === id);
      const { dealerId, adminId } = this.#options.acts.me;
      const muted = (this.#options.picture.conversations.get(groupId)?.mutedBy ?? null) !== null;
      this.#options.acts.own(
        { type: 'CHAT_MSG', dealerId, groupId, adminId, user: 'admin', muted, unread: 0, message },
        ack,
      );
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      if (error.code === 'conflict') return this.#contested(sent);
      // Where it is over, it waits for the next sign-in.
      if (error.code !== 'closed') this.#shelf.put({ ...sent, fault: error.message });
      this.#options.picture.changed();
    }
  }

  /** [P-12.4] It is another's than this agent saw: what was written is kept, unless that other is this agent, by an answer before. */
  async #contested(sent: Sent): Promise<void> {
    const { groupId } = sent;
    await this.#options.readings.need(groupId);
    const { adminId } = this.#options.acts.me;
    const assignee = this.#options.picture.conversations.get(groupId)?.assignee ?? null;
    if (assignee === adminId && sent.expect !== adminId) return this.#send({ ...sent, expect: adminId });
    const fault = assignee === null ? text('is nobody’s') : text('is another’s', { agent: assignee });
    this.#shelf.put({ ...sent, fault });
    this.#options.picture.changed();
  }
}
