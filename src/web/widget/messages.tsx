import { ContentView } from '../content/content.tsx';
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
export function Messages({ conversation, options }: Props) {
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
        {typist && <p class="typing">{say(words.typing, { name: nameOf(typist, words) })}</p>}
      </div>
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
