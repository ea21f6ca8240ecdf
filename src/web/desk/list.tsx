/** The list of conversations: however long it is, only what is in sight is there. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Conversation, isWaiting, TABS, type Tab, tabOf, type View } from './conversation.ts';
import type { Desk } from './desk.ts';
import type { Shown } from './finding.ts';
import type { TextName } from './languages/en.ts';
import { Row } from './row.tsx';
import { text } from './texts.ts';

interface Props {
  readonly desk: Desk;
  readonly shown: Shown;
  readonly view: View;
  readonly setView: (view: View) => void;
  readonly openId: string | null;
  /** True where the focus goes with the conversation that is open: a key led to it. */
  readonly isFollowed: boolean;
  readonly open: (groupId: string) => void;
}

/** The height of a row, in pixels, as the style has it. */
const ROW = 88;
/** Rows above and below what is in sight. */
const MARGIN = 4;

const TAB_NAMES = Object.keys(TABS).filter((name): name is Tab => name in TABS);
/** Those that are counted of a part: what a person has to do. */
const COUNTED: Readonly<Partial<Record<Tab, (conversation: Conversation, adminId: string) => boolean>>> = {
  waiting: isWaiting,
  mine: TABS.mine,
};

const TAB_TEXTS: Readonly<Record<Tab, TextName>> = {
  waiting: 'who waits',
  mine: 'mine',
  everybody: 'everybody',
  closed: 'closed ones',
};

function countIn(tab: Tab, { picture, me }: Desk): number | null {
  const isCounted = COUNTED[tab];
  if (!isCounted) return null;
  let count = 0;
  for (const conversation of picture.conversations.values()) if (isCounted(conversation, me.adminId)) count += 1;
  return count;
}

export function ConversationList({ desk, shown: { shown, inClosed }, view, setView, openId, isFollowed, open }: Props) {
  const { picture, search } = desk;
  const count = text('so many of', { count: shown.length, all: picture.conversations.size });
  return (
    <nav class="list" aria-label={text('conversations')}>
      <div class="finding">
        <input
          id="search"
          type="search"
          placeholder={text('search')}
          aria-label={text('search conversations')}
          value={view.search}
          onInput={({ currentTarget }) => {
            setView({ ...view, search: currentTarget.value });
            search.for(currentTarget.value);
          }}
        />
        <fieldset class="filters">
          <legend class="unseen">{text('show only')}</legend>
          {TAB_NAMES.map((tab) => (
            <button
              key={tab}
              type="button"
              aria-pressed={tab === tabOf(view)}
              onClick={() => setView({ ...view, tab })}
            >
              {text(TAB_TEXTS[tab])} {countIn(tab, desk)}
            </button>
          ))}
          <button
            type="button"
            aria-pressed={view.isOnline}
            onClick={() => setView({ ...view, isOnline: !view.isOnline })}
          >
            {text('online')}
          </button>
        </fieldset>
        <p class="quiet" role="status">
          {!picture.isListed ? text('reading') : search.isGoing ? text('searching', { found: count }) : count}
        </p>
        {inClosed > 0 && (
          <button type="button" class="link" onClick={() => setView({ ...view, tab: 'closed' })}>
            {text('in closed', { count: inClosed })}
          </button>
        )}
      </div>
      <Rows desk={desk} shown={shown} view={view} openId={openId} isFollowed={isFollowed} open={open} />
    </nav>
  );
}

function whyNothing({ picture }: Desk, view: View): TextName {
  if (picture.conversations.size === 0) return 'none yet';
  return tabOf(view) === 'waiting' && !view.isOnline ? 'nobody waits' : 'none like this';
}

interface RowsProps extends Pick<Props, 'desk' | 'view' | 'openId' | 'isFollowed' | 'open'> {
  readonly shown: readonly Conversation[];
}

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

function Rows({ desk, shown, view, openId, isFollowed, open }: RowsProps) {
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
    mustFocus.current = isFollowed;
    scrollTo(box.current, at);
  }, [openId, desk.picture.isListed]);

  // Before anything else is pressed: the row that had the focus may be out of sight by now, and gone.
  useLayoutEffect(() => {
    if (!mustFocus.current) return;
    mustFocus.current = false;
    // Nobody is taken out of what is being written.
    const { activeElement } = document;
    if (activeElement !== document.body && !box.current?.contains(activeElement)) return;
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
  useEffect(() => {
    for (const { conversation } of inSight) if (!conversation.isKnown) void desk.readings.need(conversation.groupId);
  });
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
      {desk.picture.isListed && shown.length === 0 && <p class="nothing">{text(whyNothing(desk, view))}</p>}
      {desk.search.isMore && !desk.search.isGoing && (
        <button type="button" class="more" onClick={() => desk.search.more()}>
          {text('search on')}
        </button>
      )}
      {desk.readings.hasMore && view.search.trim() === '' && view.tab !== 'waiting' && (
        <button type="button" class="more" onClick={() => desk.readings.listMore()}>
          {text('show older')}
        </button>
      )}
    </div>
  );
}
