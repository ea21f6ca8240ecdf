/** An agent at the desk: list, conversation, details, and what surrounds them. */
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { Closed } from '../../client/index.ts';
import { Announce } from './announce.tsx';
import { Bar } from './bar.tsx';
import { ChatPane } from './chat-pane.tsx';
import { type Conversation, isHeld, isMine, isWaiting, nameOf, type View } from './conversation.ts';
import { Desk } from './desk.ts';
import { Details } from './details.tsx';
import { shownIn } from './finding.ts';
import { ConversationList } from './list.tsx';
import { call, isLookedAt } from './notify.ts';
import { Shelf } from './shelf.ts';
import { areKeysOn, isComposed, isWriting, isWritten, type Key, setKeysOn, shortcutOf } from './shortcuts.ts';
import { Shortcuts } from './shortcuts-dialog.tsx';
import type { SignIn } from './sign-in.ts';
import { parts, text } from './texts.ts';
import { Toasts, useToasts } from './toasts.tsx';

interface Props {
  readonly signIn: SignIn;
  readonly ended: (closed: Closed) => void;
  readonly signOut: () => void;
}

/** Where the details have a column of their own, as the style has it. */
const ROOMY = '(min-width: 1151px)';

const ADDRESS = /^#chat=(.+)$/;
const addressed = (): string | null => {
  const [, groupId] = ADDRESS.exec(location.hash) ?? [];
  return groupId === undefined ? null : decodeURIComponent(groupId);
};

/** The conversation that is open is in the address: it survives a reload, and the way back leads to the list. */
function useOpened(desk: Desk): (groupId: string | null) => void {
  useEffect(() => {
    const follow = () => desk.open(addressed());
    follow();
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, [desk]);
  return (groupId) => {
    if (groupId === addressed()) return;
    history.pushState(null, '', groupId === null ? location.pathname : `#chat=${encodeURIComponent(groupId)}`);
    desk.open(groupId);
  };
}

/** Shows in the tab's title how many conversations wait. */
function showInTitle(conversations: Iterable<Conversation>): void {
  let waiting = 0;
  for (const conversation of conversations) if (isWaiting(conversation)) waiting += 1;
  document.title = waiting > 0 ? `(${waiting}) ${text('desk')}` : text('desk');
}

function useDesk(signIn: SignIn, ended: (closed: Closed) => void, tell: (text: string) => void) {
  const [, redraw] = useReducer((count: number, _: undefined) => count + 1, 0);
  const goTo = useRef<(groupId: string) => void>(() => {});
  const desk = useMemo(
    () =>
      new Desk({
        signIn,
        ended,
        tell,
        moved: (groupId, to) => {
          if (addressed() === groupId) history.replaceState(null, '', `#chat=${encodeURIComponent(to)}`);
        },
        said: (conversation, message, key) => {
          const { groupId } = conversation;
          const isSeen = isLookedAt() && addressed() === groupId;
          const title = `${text('customer')} ${nameOf(conversation)}`;
          void call({ key, title, message, groupId, isSeen, goTo: () => goTo.current(groupId) });
        },
      }),
    [],
  );
  useEffect(() => {
    const unwatch = desk.picture.watch(() => {
      showInTitle(desk.picture.conversations.values());
      redraw(undefined);
    });
    const look = () => desk.markRead();
    const go = () => desk.go();
    // Where a service worker notifies, it says which one was clicked.
    const lead = ({ data }: MessageEvent) => goTo.current(String(data.groupId));
    const { serviceWorker } = navigator;
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    addEventListener('pagehide', go);
    serviceWorker?.addEventListener('message', lead);
    if (!new Shelf('sessionStorage', 'telle.desk').isKept) tell(text('nothing kept'));
    return () => {
      unwatch();
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
      removeEventListener('pagehide', go);
      serviceWorker?.removeEventListener('message', lead);
      desk.close();
      document.title = text('desk');
    };
  }, []);
  return { desk, goTo };
}

const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();

/** Leads the focus back to the list, where the letters are. On a phone there is none. */
function leave(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  focus('.rows [tabindex="0"]');
}

export function Workplace({ signIn, ended, signOut }: Props) {
  const { toasts, tell } = useToasts();
  const { desk, goTo } = useDesk(signIn, ended, tell);
  const open = useOpened(desk);
  /** True where a key of the list led to the conversation that is open: the focus stays there. */
  const [isFollowed, setIsFollowed] = useState(false);
  const choose = (groupId: string | null) => {
    setIsFollowed(false);
    if (groupId !== null && groupId === openId) focus('#answer');
    else open(groupId);
  };
  goTo.current = choose;
  const [view, setView] = useState<View>({ search: '', tab: 'waiting', isOnline: false });
  const [dialog, setDialog] = useState<'announce' | 'shortcuts' | null>(null);
  const [hasDetails, setHasDetails] = useState(() => matchMedia(ROOMY).matches);
  const [hasKeys, setHasKeys] = useState(areKeysOn);

  const found = shownIn(desk.picture.conversations.values(), view, desk.search.found, signIn.adminId);
  const { shown } = found;
  const openId = desk.picture.chat?.groupId ?? null;
  const conversation = openId === null ? undefined : desk.picture.conversations.get(openId);

  const move = (by: 1 | -1, isWanted: (conversation: Conversation) => boolean = () => true) => {
    const at = shown.findIndex(({ groupId }) => groupId === openId);
    const from = at === -1 && by === -1 ? 0 : at;
    const round = shown.map(
      (_, step) => shown[(((from + by * (step + 1)) % shown.length) + shown.length) % shown.length],
    );
    const next = round.find((candidate) => candidate !== undefined && isWanted(candidate));
    if (!next) return;
    setIsFollowed(true);
    open(next.groupId);
  };
  const actions: Record<Key, () => void> = {
    j: () => move(1),
    k: () => move(-1),
    u: () => move(1, isWaiting),
    '/': () => focus('#search'),
    r: () => focus('#answer'),
    t: () => conversation && !isMine(conversation, signIn.adminId) && desk.acts.takeOver(conversation),
    b: () => conversation && isHeld(conversation) && desk.acts.handBack(conversation),
    x: () => conversation?.closed === false && desk.acts.closeChat(conversation),
    z: () => desk.acts.undoing.undo(),
    d: () => setHasDetails((has) => !has),
    a: () => setDialog('announce'),
    '?': () => setDialog('shortcuts'),
  };

  // Made anew with what is shown: it is the latest that a key is pressed in.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // A dialogue is answered first, wherever the focus is.
      if (isComposed(event) || document.querySelector('dialog[open]')) return;
      if (event.key === 'Escape') {
        if (!isWriting(event)) choose(null);
        leave();
      }
      // What is typed at an open conversation is meant for it, wherever the focus is.
      if (openId !== null && isWritten(event)) return focus('#answer');
      const shortcut = hasKeys ? shortcutOf(event, openId !== null) : null;
      if (shortcut === null) return;
      event.preventDefault();
      actions[shortcut]();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });

  return (
    <div class={openId === null ? 'desk at-list' : 'desk at-chat'}>
      <Bar
        desk={desk}
        announce={() => setDialog('announce')}
        showShortcuts={() => setDialog('shortcuts')}
        signOut={signOut}
      />
      <main>
        <ConversationList
          desk={desk}
          shown={found}
          view={view}
          setView={setView}
          openId={openId}
          isFollowed={isFollowed}
          open={choose}
        />
        {desk.picture.chat ? (
          <ChatPane
            key={desk.picture.chat.groupId}
            desk={desk}
            chat={desk.picture.chat}
            conversation={conversation}
            back={() => choose(null)}
            mustFocus={!isFollowed}
            hasDetails={hasDetails}
            toggleDetails={() => setHasDetails((has) => !has)}
          />
        ) : (
          <section class="chat nothing" aria-label={text('conversation')}>
            <p>{text('choose one')}</p>
            <p class="quiet">{parts('press keys', { first: <kbd>j</kbd>, all: <kbd>?</kbd> })}</p>
          </section>
        )}
      </main>
      {hasDetails && desk.picture.chat && conversation && desk.picture.chat.status !== 'gone' && (
        <Details chat={desk.picture.chat} conversation={conversation} hide={() => setHasDetails(false)} />
      )}
      {dialog === 'announce' && <Announce desk={desk} close={() => setDialog(null)} />}
      {dialog === 'shortcuts' && (
        <Shortcuts
          areOn={hasKeys}
          turn={(areOn) => {
            setKeysOn(areOn);
            setHasKeys(areOn);
          }}
          close={() => setDialog(null)}
        />
      )}
      <Toasts toasts={toasts} undoing={desk.acts.undoing} />
    </div>
  );
}
