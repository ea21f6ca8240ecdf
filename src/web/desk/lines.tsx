/** Messages, the latest at the bottom; earlier ones are read when the top is reached. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ContentView } from '../content/content.tsx';
import type { Chat } from './chat.ts';
import { askedFor, type Conversation, nameOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import type { Frame } from './reader.ts';
import { Said } from './said.tsx';
import type { Sent } from './sent.ts';
import { parts, text as say } from './texts.ts';
import { Who, WhoEach } from './who.tsx';
import { type Author, dayOf, inFull, timeOf } from './words.ts';

interface Props {
  readonly desk: Desk;
  readonly chat: Chat;
  readonly conversation: Conversation;
}

/** Distance from an edge that counts as being there, in pixels. */
const NEAR = 160;

interface Scrolled {
  readonly chat: Chat;
  readonly unsent: readonly Sent[];
  readonly growing: string | undefined;
  readonly readOlder: () => void;
}

/** Stays at the end while that is in sight, and where it is while earlier lines come in above it. */
function useScrolling({ chat, unsent, growing, readOlder }: Scrolled) {
  const box = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const before = useRef({ first: 0, height: 0 });
  const first = chat.lines[0]?.seq ?? 0;

  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });
  const look = () => {
    const { current } = box;
    if (!current) return;
    setIsAtEnd(current.scrollHeight - current.scrollTop - current.clientHeight < NEAR);
    if (current.scrollTop < NEAR && chat.hasOlder) readOlder();
  };
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const grown = current.scrollHeight - before.current.height;
    if (isAtEnd) toEnd();
    else if (first < before.current.first) current.scrollTop += grown;
    before.current = { first, height: current.scrollHeight };
  }, [chat.lines, unsent.length, growing]);
  useEffect(() => {
    // A screen that is not filled cannot be scrolled.
    if (chat.hasOlder && box.current && box.current.scrollHeight <= box.current.clientHeight) readOlder();
  }, [chat.lines]);
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    const observer = new ResizeObserver(() => isAtEnd && toEnd());
    observer.observe(current);
    return () => observer.disconnect();
  }, [isAtEnd]);
  return { box, look, isAtEnd, toEnd };
}

export function Lines({ desk, chat, conversation }: Props) {
  const { unsent } = desk.sending;
  const growing = desk.picture.typists.growingIn(chat.groupId);
  const { box, look, isAtEnd, toEnd } = useScrolling({ chat, unsent, growing, readOlder: () => desk.readings.older() });
  const name = nameOf(conversation);
  const me = desk.me.adminId;
  const { customerRead } = conversation;
  // Most of what is redrawn has nothing to do with these.
  const lines = useMemo(
    () => <LineItems lines={chat.lines} name={name} me={me} customerRead={customerRead} />,
    [chat.lines, name, customerRead],
  );
  const said = lastSaid(chat.lines);
  const asked = askedFor(conversation);
  return (
    <div class="history">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard */}
      <section class="lines" ref={box} onScroll={look} tabIndex={0} aria-label={say('messages')}>
        {chat.status === 'reading' && <p class="quiet">{say('reading')}</p>}
        {chat.hasOlder && <p class="quiet">{say('reading before')}</p>}
        <ol>
          {lines}
          {unsent.map((sent) => (
            <Unsent key={sent.id} desk={desk} sent={sent} />
          ))}
        </ol>
        <Growing text={growing} />
        {asked !== null && (
          <p class="happened asked">
            <Who user="bot" name="" me={me} /> <bdi>{asked}</bdi>
          </p>
        )}
        <Typists desk={desk} groupId={chat.groupId} name={name} />
      </section>
      {!isAtEnd && (
        <button type="button" class="to-end" onClick={toEnd}>
          {say('to latest')}
        </button>
      )}
      <p class="unseen" aria-live="polite">
        {chat.status === 'ready' && said && said.user !== 'admin' ? `${inFull(said, name, me)}: ${said.message}` : ''}
      </p>
    </div>
  );
}

function lastSaid(lines: readonly Frame[]) {
  const payload = lines.findLast((line) => line.payload.type === 'CHAT_MSG')?.payload;
  return payload?.type === 'CHAT_MSG' ? payload : undefined;
}

interface LineItemsProps {
  readonly lines: readonly Frame[];
  readonly name: string;
  readonly me: string;
  readonly customerRead: number;
}

function LineItems({ lines, name, me, customerRead }: LineItemsProps) {
  const readSeq = lines.findLast(
    ({ seq, payload }) => seq <= customerRead && payload.type === 'CHAT_MSG' && payload.user === 'admin',
  )?.seq;
  let day = '';
  return (
    <>
      {lines.filter(isShown).map((line) => {
        const isNewDay = dayOf(line.at) !== day;
        day = dayOf(line.at);
        return (
          <LineItem
            key={line.seq}
            line={line}
            name={name}
            me={me}
            day={isNewDay ? day : null}
            isReadTo={line.seq === readSeq}
            taken={takenOf(line, lines)}
          />
        );
      })}
    </>
  );
}

const CONTENT = { cards: say('cards'), previousCard: say('previous card'), nextCard: say('next card') };

/** [P-18.1] */
function takenOf({ seq, payload }: Frame, lines: readonly Frame[]): string | undefined {
  if (payload.type !== 'CHAT_MSG' || !payload.content) return undefined;
  const answer = lines.find((line) => line.payload.type === 'CHAT_MSG' && line.payload.replyTo === seq)?.payload;
  return answer?.type === 'CHAT_MSG' ? answer.message : undefined;
}

/** Hides presence, which is shown above, and whose it becomes by what is said beside it: an answer, a close, a mute that ends. */
const isShown = ({ payload }: Frame): boolean =>
  payload.type !== 'UPDATE_CHAT' && (payload.type !== 'ASSIGNED' || payload.reason === 'asked');

/** [P-12.5] Why a mute ended by itself. */
const BY_ITSELF = { unanswered: 'back unanswered', alone: 'back alone', hours: 'back closed' } as const;

type Assigned = Extract<Frame['payload'], { type: 'ASSIGNED' }>;

interface LineItemProps {
  readonly line: Frame;
  readonly name: string;
  readonly me: string;
  readonly day: string | null;
  readonly isReadTo: boolean;
  /** Label of the choice that the customer took of it. */
  readonly taken: string | undefined;
}

function LineItem({ line: { payload, at }, name, me, day, isReadTo, taken }: LineItemProps) {
  return (
    <li>
      {day !== null && <p class="day">{day}</p>}
      {payload.type === 'CHAT_MSG' ? (
        <div
          class={`said by-${payload.user}${payload.adminId === me ? ' mine' : ''}${payload.content ? ' shows' : ''}`}
        >
          <p class="meta">
            <Who user={payload.user} adminId={payload.adminId} name={name} me={me} />{' '}
            <time dateTime={at}>{timeOf(at)}</time>
          </p>
          <p class="text" dir="auto">
            <Said text={payload.message} />
          </p>
          {payload.content && <ContentView content={payload.content} words={CONTENT} taken={taken} />}
          {isReadTo && <p class="meta">{say('read')}</p>}
        </div>
      ) : (
        <p class="happened">
          <Happening payload={payload} name={name} me={me} /> <time dateTime={at}>{timeOf(at)}</time>
        </p>
      )}
    </li>
  );
}

function Happening({
  payload,
  name,
  me,
}: {
  readonly payload: Frame['payload'];
  readonly name: string;
  readonly me: string;
}) {
  switch (payload.type) {
    case 'MUTE_STATUS':
      if (payload.user === 'customer') return <>{say('may speak again')}</>;
      if (payload.reason !== undefined) return <>{say(BY_ITSELF[payload.reason])}</>;
      return (
        <>
          {parts(payload.muted ? 'took over' : 'handed back', {
            who: <Who user="admin" adminId={payload.adminId} name={name} me={me} />,
          })}
        </>
      );
    case 'ASSIGNED':
      return <Assignment payload={payload} me={me} />;
    case 'CLOSE_CHAT':
      return (
        <>{parts('closed by', { who: <Who user={payload.user} adminId={payload.adminId} name={name} me={me} /> })}</>
      );
    case 'SET_ASIDE':
      return <>{say('name taken')}</>;
    default:
      return <>{payload.type}</>;
  }
}

/** [P-12.3] */
function Assignment({ payload: { assignee, adminId }, me }: { readonly payload: Assigned; readonly me: string }) {
  const by: Author = adminId === undefined ? { user: 'server' } : { user: 'admin', adminId };
  const who = <Who {...by} name="" me={me} />;
  if (assignee === null) return <>{parts('let go of', { who })}</>;
  if (assignee === adminId) return <>{parts('took it', { who })}</>;
  return <>{parts('gave it', { who, whom: <Who user="admin" adminId={assignee} name="" me={me} /> })}</>;
}

function Unsent({ desk, sent }: { readonly desk: Desk; readonly sent: Sent }) {
  const { message, fault } = sent;
  return (
    <li>
      <div class={`said by-admin mine unsent${fault === undefined ? '' : ' refused'}`}>
        <p class="text" dir="auto">
          {message}
        </p>
        {fault === undefined ? (
          <p class="meta">{say(desk.connection.state === 'joined' ? 'sending' : 'waiting')}</p>
        ) : (
          <p class="meta">
            {say('not sent', { fault })}{' '}
            <button type="button" class="link" onClick={() => desk.sending.retry(sent)}>
              {say('try again')}
            </button>{' '}
            <button type="button" class="link" onClick={() => desk.sending.discard(sent)}>
              {say('discard')}
            </button>
          </p>
        )}
      </div>
    </li>
  );
}

/** [P-18.2] The bot's answer so far: its message takes this one's place. It is told to nobody word by word. */
function Growing({ text }: { readonly text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <div class="said by-bot growing">
      <p class="meta">
        <Who user="bot" name="" me="" />
      </p>
      <p class="text" dir="auto">
        {text}
      </p>
    </div>
  );
}

function Typists({ desk, groupId, name }: { readonly desk: Desk; readonly groupId: string; readonly name: string }) {
  const typists = desk.picture.typists.of(groupId);
  return (
    <p class="typing" aria-live="polite">
      {typists.length > 0 &&
        parts('typing', { who: <WhoEach people={typists} name={name} me={desk.me.adminId} /> }, typists.length)}
    </p>
  );
}
