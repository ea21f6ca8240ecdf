/** The list of conversations: however long it is, only what is in sight is there. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { activeAt, type Conversation, FILTERS, type Filter, nameOf, placeOf, type View } from './conversation.ts';
import type { Desk } from './desk.ts';
import { Who } from './who.tsx';
import { whenOf } from './words.ts';

interface Props {
  readonly desk: Desk;
  readonly shown: readonly Conversation[];
  readonly view: View;
  readonly setView: (view: View) => void;
  readonly openId: string | null;
  readonly open: (groupId: string) => void;
}

/** The height of a row, in pixels, as the style has it. */
const ROW = 88;
/** Rows above and below what is in sight. */
const MARGIN = 4;

const FILTER_WORDS: Readonly<Record<Filter, string>> = {
  open: 'Open',
  unread: 'Unread',
  online: 'Online',
  mine: 'Mine',
};
const FILTER_NAMES = Object.keys(FILTERS).filter((name): name is Filter => name in FILTERS);

export function ConversationList({ desk, shown, view, setView, openId, open }: Props) {
  const toggle = (name: Filter) => {
    const filters = new Set(view.filters);
    if (!filters.delete(name)) filters.add(name);
    setView({ ...view, filters });
  };
  return (
    <nav class="list" aria-label="Conversations">
      <div class="finding">
        <input
          id="search"
          type="search"
          placeholder="Search"
          aria-label="Search conversations"
          value={view.search}
          onInput={({ currentTarget }) => setView({ ...view, search: currentTarget.value })}
        />
        <fieldset class="filters">
          <legend class="unseen">Show only</legend>
          {FILTER_NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={view.filters.has(name)} onClick={() => toggle(name)}>
              {FILTER_WORDS[name]}
            </button>
          ))}
        </fieldset>
        <p class="quiet" role="status">
          {desk.picture.isListed ? `${shown.length} of ${desk.picture.conversations.size}` : 'Reading…'}
        </p>
      </div>
      <Rows desk={desk} shown={shown} openId={openId} open={open} />
    </nav>
  );
}

type RowsProps = Pick<Props, 'desk' | 'shown' | 'openId' | 'open'>;

/** Which part of it is in sight, in pixels. */
function useSight() {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 0 });
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const look = () => setSight({ top: current.scrollTop, height: current.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(current);
    current.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      observer.disconnect();
      current.removeEventListener('scroll', look);
    };
  }, []);
  return { box, sight };
}

function scrollTo(box: HTMLElement, index: number): void {
  const top = index * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
}

function Rows({ desk, shown, openId, open }: RowsProps) {
  const { box, sight } = useSight();
  /** The row that Tab comes to; where the focus is, while it is in the list. */
  const [reachedId, setReachedId] = useState<string | null>(null);
  const mustFocus = useRef(false);
  const indexOf = (groupId: string | null) => shown.findIndex((conversation) => conversation.groupId === groupId);
  const reached = Math.max(indexOf(reachedId ?? openId), 0);

  useEffect(() => {
    const at = indexOf(openId);
    if (openId === null || at === -1 || !box.current) return;
    setReachedId(openId);
    scrollTo(box.current, at);
  }, [openId, desk.picture.isListed]);

  // Before anything else is pressed: the row that had the focus may be out of sight by now, and gone.
  useLayoutEffect(() => {
    if (!mustFocus.current) return;
    mustFocus.current = false;
    box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  });

  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -shown.length, End: shown.length };
  const press = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (step === undefined || shown.length === 0) return;
    event.preventDefault();
    const next = Math.min(shown.length - 1, Math.max(0, reached + step));
    if (box.current) scrollTo(box.current, next);
    mustFocus.current = true;
    setReachedId(shown[next]?.groupId ?? null);
  };

  const first = Math.max(0, Math.floor(sight.top / ROW) - MARGIN);
  const last = Math.ceil((sight.top + sight.height) / ROW) + MARGIN;
  const inSight = shown.slice(first, last).map((conversation, step) => ({ conversation, index: first + step }));
  // The row that has the focus stays, wherever it has gone: without it the focus would be lost.
  const focused = shown[reached];
  if (focused && (reached < first || reached >= last)) inSight.push({ conversation: focused, index: reached });

  return (
    <div class="rows" ref={box}>
      <ul style={{ height: `${shown.length * ROW}px` }} onKeyDown={press}>
        {inSight.map(({ conversation, index }) => (
          <li
            key={conversation.groupId}
            aria-setsize={shown.length}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${index * ROW}px)` }}
          >
            <Row
              desk={desk}
              conversation={conversation}
              isOpen={conversation.groupId === openId}
              isReached={index === reached}
              reach={() => setReachedId(conversation.groupId)}
              open={open}
            />
          </li>
        ))}
      </ul>
      {desk.picture.isListed && shown.length === 0 && <p class="nothing">No conversation is like this.</p>}
      {desk.readings.hasMore && (
        <button type="button" class="more" onClick={() => desk.readings.listMore()}>
          Show older conversations
        </button>
      )}
    </div>
  );
}

interface RowProps {
  readonly desk: Desk;
  readonly conversation: Conversation;
  readonly isOpen: boolean;
  readonly isReached: boolean;
  readonly reach: () => void;
  readonly open: (groupId: string) => void;
}

function Row({ desk, conversation, isOpen, isReached, reach, open }: RowProps) {
  const { groupId, online, unread } = conversation;
  const place = placeOf(conversation);
  return (
    <button
      type="button"
      class={unread > 0 ? 'row waiting' : 'row'}
      aria-current={isOpen ? 'true' : undefined}
      tabIndex={isReached ? 0 : -1}
      onFocus={reach}
      onClick={() => open(groupId)}
    >
      <span class="first">
        <span class={online ? 'dot online' : 'dot'} />
        <span class="unseen">Customer </span>
        <bdi class="name">{nameOf(conversation)}</bdi>
        <span class="unseen">{online ? ', online. ' : ', offline. '}</span>
        <time dateTime={activeAt(conversation)}>{whenOf(activeAt(conversation))}</time>
      </span>
      <span class="second">
        <LastWords desk={desk} conversation={conversation} />
        {unread > 0 && (
          <span class="count">
            {unread}
            <span class="unseen"> unread</span>
          </span>
        )}
      </span>
      <span class="third">
        <bdi class="place">{place && (online ? `On ${place}` : `Was on ${place}`)}</bdi>
        <Badge conversation={conversation} me={desk.me.adminId} />
      </span>
    </button>
  );
}

function LastWords({ desk, conversation: { groupId, last } }: Pick<RowProps, 'desk' | 'conversation'>) {
  const me = desk.me.adminId;
  const [typist] = desk.picture.typists.of(groupId);
  if (typist !== undefined) {
    return (
      <span class="words typing">{typist.user !== 'customer' && <Who {...typist} name="" me={me} />} is typing…</span>
    );
  }
  if (!last) return <span class="words quiet">Nothing said yet</span>;
  return (
    <span class="words">
      {last.user === 'customer' ? <span class="unseen">Said: </span> : <Who {...last} name="" me={me} />}{' '}
      <bdi>{last.message}</bdi>
    </span>
  );
}

function Badge({
  conversation: { mutedBy, closed, isSetAside },
  me,
}: {
  readonly conversation: Conversation;
  readonly me: string;
}) {
  if (isSetAside) return <span class="badge">Set aside</span>;
  if (closed) return <span class="badge">Closed</span>;
  if (mutedBy === null) return null;
  return (
    <span class="badge taken">
      <span class="unseen">Taken over by </span>
      <bdi>{mutedBy === me ? 'You' : mutedBy}</bdi>
    </span>
  );
}
