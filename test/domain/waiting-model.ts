/** [P-12] The wait of a customer, told once more as the protocol has it, as simply as it can be: what a right server would say. */
import type { KeptTogether } from '../../schemas/dealers.ts';

type Side = 'bot' | 'admin';
/** What is told of an event: its type, and what this section says of it. */
export type Told = readonly unknown[];
/** What comes of a command: what is told, or the code of its refusal. */
export type Answer = readonly Told[] | string;

export const SECOND = 1000;
export const DAY = 24 * 3600 * SECOND;
const MINUTE = 60 * SECOND;

/** Minutes of the day at which an opening of the tests begins and ends; all of them are in UTC and on every day. */
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/** What is so at the dealer, and the conversation: one of everything. */
export class WaitModel {
  settings: KeptTogether = {};
  hasServer = false;
  admins = new Set<string>();
  aloneSince: number | null = 0;
  assignee: string | null = null;
  mutedBy: string | null = null;
  /** The last seq that the customer's messages have, and whether a bot has said anything since. */
  #lastAsked = 0;
  #hasBotSpoken = false;
  #botSpokeAt = 0;
  #waiting: { readonly since: number; readonly for: Side } | null = null;
  /** When it became theirs, whom it was told of, and whether a bot has asked for a person. */
  #turnedAt = 0;
  #told = new Set<Side>();
  #isHandedOff = false;
  #closedBy: string | null = null;
  #actedAt = 0;

  get waiting() {
    return this.#waiting && { ...this.#waiting, since: new Date(this.#waiting.since).toISOString() };
  }

  isOpen(at: number): boolean {
    const minute = Math.floor((at % DAY) / MINUTE);
    const { hours } = this.settings;
    return hours?.some(({ open, close }) => minutesOf(open) <= minute && minute < minutesOf(close)) ?? true;
  }

  hasBot(at: number): boolean {
    return this.settings.bot ?? (this.hasServer || at - this.#botSpokeAt < DAY);
  }

  /** [P-13.1] It is known to the minute. */
  botSpeaks(at: number): void {
    if (at - this.#botSpokeAt >= MINUTE) this.#botSpokeAt = at;
  }

  /** When the answer is overdue, if that was not told. */
  overdueAt(): number | null {
    if (this.#waiting === null || this.#told.has(this.#waiting.for)) return null;
    const { bot = 30, admin = 120 } = this.settings.answerWithin ?? {};
    return this.#turnedAt + (this.#waiting.for === 'bot' ? bot : admin) * SECOND;
  }

  /** [P-12.5] When the mute ends, as all is now. */
  leaseAt(at: number): readonly [ends: number, why: string] | null {
    if (this.mutedBy === null || this.#closedBy !== null || !this.hasBot(at)) return null;
    const { seconds = 900, alone = 120 } = this.settings.handBackAfter ?? {};
    const ends: [number, string][] = [];
    if (seconds !== null) ends.push([this.#actedAt + seconds * SECOND, 'unanswered']);
    if (alone !== null && this.aloneSince !== null) {
      ends.push([Math.max(this.aloneSince, this.#actedAt) + alone * SECOND, 'alone']);
    }
    if (alone !== null && !this.isOpen(at)) ends.push([this.#actedAt + alone * SECOND, 'hours']);
    return ends.sort(([one], [other]) => one - other)[0] ?? null;
  }

  /** The first moment at which anything falls due, as all is now; null: nothing does. */
  fallsDue(at: number): number | null {
    const moments = [this.overdueAt(), this.leaseAt(at)?.[0] ?? null].filter((moment) => moment !== null);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  customerSays(at: number, seq: number): Answer {
    const events: Told[] = [];
    if (this.#closedBy !== null && this.#closedBy !== 'customer' && this.mutedBy !== null) {
      events.push(['MUTE_STATUS', this.mutedBy, false, null]);
      this.mutedBy = null;
    }
    this.#closedBy = null;
    this.#lastAsked = seq + events.length + 1;
    this.#hasBotSpoken = false;
    if (this.#waiting === null) this.#wait(at, this.#speaker(at));
    return [...events, ['CHAT_MSG', this.waiting]];
  }

  botSays(at: number, replyTo: number | undefined): Answer {
    const refusal = this.#mayBotSpeak();
    if (refusal !== null) return refusal;
    const isEarlier = replyTo !== undefined && replyTo < this.#lastAsked && !this.#hasBotSpoken;
    if (isEarlier && this.#waiting?.for === 'bot') this.#turnedAt = at;
    if (!isEarlier && !this.#isHandedOff) this.#answered();
    this.#hasBotSpoken = true;
    this.botSpeaks(at);
    return [['CHAT_MSG', this.waiting]];
  }

  adminSays(at: number, adminId: string, expected: string | null | undefined): Answer {
    if (expected !== undefined && expected !== this.assignee) return 'conflict';
    const events: Told[] = [];
    if (this.assignee === null) events.push(['ASSIGNED', adminId, 'answered']);
    this.assignee ??= adminId;
    if (this.mutedBy === null) events.push(this.mute(at, adminId));
    this.#closedBy = null;
    this.#actedAt = at;
    this.#answered();
    return [...events, ['CHAT_MSG', null]];
  }

  mute(at: number, adminId: string): Told {
    this.mutedBy = adminId;
    this.#actedAt = at;
    this.#turn(at, 'admin');
    return ['MUTE_STATUS', adminId, true, this.waiting];
  }

  unmute(at: number, adminId: string): Told {
    this.mutedBy = null;
    this.#turn(at, this.#speaker(at));
    return ['MUTE_STATUS', adminId, false, this.waiting];
  }

  close(user: string): Answer {
    if (user !== 'customer' || this.#closedBy === null) this.#closedBy = user;
    const events: Told[] = this.assignee === null ? [] : [['ASSIGNED', null, 'closed']];
    this.assignee = null;
    this.#answered();
    return [...events, ['CLOSE_CHAT', null]];
  }

  assign(at: number, assignee: string | null, expected: string | null | undefined): Answer {
    if (expected !== undefined && expected !== this.assignee) return 'conflict';
    this.assignee = assignee;
    if (assignee !== null) this.#actedAt = at;
    return [['ASSIGNED', assignee, 'asked']];
  }

  handOff(at: number): Answer {
    const refusal = this.#mayBotSpeak();
    if (refusal !== null) return refusal;
    if (this.#waiting === null) this.#wait(at, 'admin');
    else this.#turn(at, 'admin');
    this.#isHandedOff = true;
    this.#hasBotSpoken = true;
    this.botSpeaks(at);
    return [['HANDOFF', this.waiting]];
  }

  /** An admin's typing, which is noted once in a while: a tenth of the time that is left to it, at most 10 s. */
  adminTypes(at: number): Answer {
    const { seconds = 900, alone = 120 } = this.settings.handBackAfter ?? {};
    const part = Math.min(10, (seconds ?? 100) / 10, (alone ?? 100) / 10) * SECOND;
    if (this.mutedBy !== null && at - this.#actedAt >= part) this.#actedAt = at;
    return [['TYPING']];
  }

  /** [P-12.2, P-12.5] It is looked what has fallen due. */
  wake(at: number): Told[] {
    const events: Told[] = [];
    const [ends = Number.POSITIVE_INFINITY, why] = this.leaseAt(at) ?? [];
    if (this.mutedBy !== null && ends <= at) {
      if (this.assignee !== null) events.push(['ASSIGNED', null, 'gone']);
      this.assignee = null;
      events.push([...this.unmute(at, this.mutedBy), why]);
    }
    const due = this.overdueAt();
    if (due === null || due > at || this.waiting === null) return events;
    const { since, for: side } = this.waiting;
    this.#told.add(side);
    if (side === 'bot') this.#turn(at, 'admin');
    return [...events, ['OVERDUE', since, side]];
  }

  #speaker(at: number): Side {
    return this.mutedBy === null && this.hasBot(at) ? 'bot' : 'admin';
  }

  #mayBotSpeak(): string | null {
    if (this.#closedBy !== null) return 'group_closed';
    return this.mutedBy === null ? null : 'bot_muted';
  }

  #wait(at: number, side: Side): void {
    this.#waiting = { since: at, for: side };
    this.#turnedAt = at;
  }

  #turn(at: number, side: Side): void {
    if (this.#waiting === null || this.#waiting.for === side) return;
    this.#waiting = { ...this.#waiting, for: side };
    this.#turnedAt = at;
    this.#isHandedOff = false;
  }

  #answered(): void {
    this.#waiting = null;
    this.#told = new Set();
    this.#isHandedOff = false;
  }
}
