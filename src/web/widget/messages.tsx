import { useEffect, useState } from 'preact/hooks';
import { ContentView } from '../content/content.tsx';
import { calledWhen, isAlone, isReachable } from './answering.ts';
import type { Conversation } from './conversation.ts';
import { type Entry, nameOf } from './log.ts';
import type { Options } from './options.ts';
import { Said } from './said.tsx';
import { say, type Words } from './words.ts';

/** Time within which messages of one author are shown as one block, in milliseconds. */
const BREATH = 5 * 60_000;

/** Words of a notice about the chat, which nobody said in it. */
function noticeOf({ kind, name }: Entry, words: Words): string | null {
  if (kind === 'joined') return say(words.joined, { name: name ?? words.admin });
  if (kind === 'left') return words.left;
  return kind === 'ended' ? words.ended : null;
}

interface Props {
  readonly conversation: Conversation;
  readonly options: Options;
}

/** The log, its end in sight. */
export function Messages({ conversation, options, leaveDetails }: Props & Asking) {
  const { words } = options;
  const { entries, past, typist } = conversation;
  const { earlier } = past;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <div class="scroll" role="log" aria-label={words.log} aria-busy={earlier === 'loading'} tabIndex={0}>
      <div class="log">
        {earlier === 'none' && <p class="hello">{words.hello}</p>}
        {earlier !== 'none' && (
          <button type="button" class="link" disabled={earlier === 'loading'} onClick={() => past.readEarlier()}>
            {{ loading: words.loading, failed: words.again, some: words.earlier }[earlier]}
          </button>
        )}
        {entries.map((entry, index) => (
          <Line
            key={entry.id}
            entry={entry}
            before={entries[index - 1]}
            taken={entry.content && entries.find(({ answer }) => answer?.replyTo === entry.seq)?.text}
            conversation={conversation}
            options={options}
          />
        ))}
        {isAlone(conversation) && <Asked {...{ conversation, options, leaveDetails }} />}
        {typist?.text && (
          // Not for screen readers: what is said is read out when it is said.
          <div class="message bot growing" aria-hidden="true">
            <p class="text" dir="auto">
              <Said text={typist.text} />
            </p>
          </div>
        )}
        {typist && <p class="typing">{say(words.typing, { name: nameOf(typist, words) })}</p>}
      </div>
    </div>
  );
}

interface Asking {
  readonly leaveDetails: () => void;
}

/** Time that a bot has for its first word before it is taken that there is none, in milliseconds. */
const BOTS_TURN = 5_000;

/** Where nobody is here: how can the customer be reached, and when will that be? */
function Asked({ conversation, options: { words, lang }, leaveDetails }: Props & Asking) {
  const [isTime, setIsTime] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsTime(true), BOTS_TURN);
    return () => clearTimeout(timer);
  }, []);
  if (!isTime) return null;
  const isKnown = isReachable(conversation);
  return (
    <div class="notice asked">
      {!isKnown && <p>{words.askContact}</p>}
      <p>{calledWhen(conversation, words, lang)}</p>
      {!isKnown && (
        <button type="button" class="link" onClick={leaveDetails}>
          {words.details}
        </button>
      )}
    </div>
  );
}

interface LineProps extends Props {
  readonly entry: Entry;
  readonly before: Entry | undefined;
  /** Label of the choice that was taken of it. */
  readonly taken: string | undefined;
}

function Line({ entry, before, taken, conversation, options: { words, lang } }: LineProps) {
  const notice = noticeOf(entry, words);
  if (notice !== null) {
    return (
      <p class="notice">
        <bdi>{notice}</bdi>
      </p>
    );
  }
  const { kind, name, text, at, status, content } = entry;
  const goesOn = before?.kind === kind && before.name === name && Date.parse(at) - Date.parse(before.at) < BREATH;
  return (
    <div class={`message ${kind}${content ? ' shows' : ''}`}>
      <p class={goesOn ? 'hidden' : 'author'}>
        <bdi class={kind === 'bot' ? 'role' : ''}>{nameOf(entry, words)}</bdi>
        {kind === 'admin' && name !== undefined && <span class="role">{words.admin}</span>}{' '}
        <time dateTime={at}>{timeOf(at, lang)}</time>
      </p>
      <p class="text" dir="auto">
        <Said text={text} />
      </p>
      {content && (
        <ContentView {...{ content, words, lang, taken }} take={(choice) => conversation.take(entry, choice)} />
      )}
      {status === 'sending' && <p class="status sending">{words.sending}</p>}
      {status === 'failed' && (
        <p class="status">
          {words.failed}{' '}
          <button type="button" class="link" onClick={() => conversation.sendAgain(entry)}>
            {words.again}
          </button>
        </p>
      )}
    </div>
  );
}

function timeOf(at: string, lang: string): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(lang, isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}
