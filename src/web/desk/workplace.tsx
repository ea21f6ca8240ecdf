/** An agent at the desk: list, conversation, details, and what surrounds them. */
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { Closed } from '../../client/index.ts';
import { Announce } from './announce.tsx';
import { Bar } from './bar.tsx';
import { ChatPane } from './chat-pane.tsx';
import { type Conversation, nameOf, shownIn, type View } from './conversation.ts';
import { Desk } from './desk.ts';
import { Details } from './details.tsx';
import { ConversationList } from './list.tsx';
import { notify } from './notify.ts';
import { areKeysOn, isWriting, type Key, setKeysOn, shortcutOf } from './shortcuts.ts';
import { Shortcuts } from './shortcuts-dialog.tsx';
import type { SignIn } from './sign-in.ts';
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
  for (const { unread } of conversations) if (unread > 0) waiting += 1;
  document.title = waiting > 0 ? `(${waiting}) Telle desk` : 'Telle desk';
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
        said: (conversation, message) =>
          notify(`Customer ${nameOf(conversation)}`, message, conversation.groupId, () =>
            goTo.current(conversation.groupId),
          ),
      }),
    [],
  );
  useEffect(() => {
    const unwatch = desk.picture.watch(() => {
      showInTitle(desk.picture.conversations.values());
      redraw(undefined);
    });
    const look = () => desk.markRead();
    const go = () => desk.leave();
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    addEventListener('pagehide', go);
    return () => {
      unwatch();
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
      removeEventListener('pagehide', go);
      desk.close();
      document.title = 'Telle desk';
    };
  }, []);
  return { desk, goTo };
}

export function Workplace({ signIn, ended, signOut }: Props) {
  const { toasts, tell } = useToasts();
  const { desk, goTo } = useDesk(signIn, ended, tell);
  const open = useOpened(desk);
  goTo.current = open;
  const [view, setView] = useState<View>({ search: '', filters: new Set(['open']) });
  const [dialog, setDialog] = useState<'announce' | 'shortcuts' | null>(null);
  const [hasDetails, setHasDetails] = useState(() => matchMedia(ROOMY).matches);
  const [hasKeys, setHasKeys] = useState(areKeysOn);

  const shown = shownIn(desk.picture.conversations.values(), view, signIn.adminId);
  const openId = desk.picture.chat?.groupId ?? null;
  const conversation = openId === null ? undefined : desk.picture.conversations.get(openId);

  const move = (by: 1 | -1, isWanted: (conversation: Conversation) => boolean = () => true) => {
    const at = shown.findIndex(({ groupId }) => groupId === openId);
    const from = at === -1 && by === -1 ? 0 : at;
    const round = shown.map(
      (_, step) => shown[(((from + by * (step + 1)) % shown.length) + shown.length) % shown.length],
    );
    const next = round.find((candidate) => candidate !== undefined && isWanted(candidate));
    if (next) open(next.groupId);
  };
  const blur = () => document.activeElement instanceof HTMLElement && document.activeElement.blur();
  const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();
  const actions: Record<Key, () => void> = {
    j: () => move(1),
    k: () => move(-1),
    u: () => move(1, ({ unread }) => unread > 0),
    '/': () => focus('#search'),
    r: () => focus('#answer'),
    t: () => conversation?.mutedBy === null && desk.takeOver(conversation.groupId),
    b: () => conversation?.mutedBy != null && desk.handBack(conversation.groupId),
    x: () => conversation?.closed === false && desk.closeChat(conversation.groupId),
    d: () => setHasDetails((has) => !has),
    a: () => setDialog('announce'),
    '?': () => setDialog('shortcuts'),
  };

  // Made anew with what is shown: it is the latest that a key is pressed in.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // A dialogue is answered first, wherever the focus is.
      if (event.isComposing || document.querySelector('dialog[open]')) return;
      if (event.key === 'Escape') {
        if (isWriting(event)) blur();
        else open(null);
      }
      const shortcut = hasKeys ? shortcutOf(event) : null;
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
        <ConversationList desk={desk} shown={shown} view={view} setView={setView} openId={openId} open={open} />
        {desk.picture.chat ? (
          <ChatPane
            key={desk.picture.chat.groupId}
            desk={desk}
            chat={desk.picture.chat}
            conversation={conversation}
            back={() => open(null)}
            hasDetails={hasDetails}
            toggleDetails={() => setHasDetails((has) => !has)}
          />
        ) : (
          <section class="chat nothing" aria-label="Conversation">
            <p>Choose a conversation.</p>
            <p class="quiet">
              Press <kbd>j</kbd> for the first one, <kbd>?</kbd> for all shortcuts.
            </p>
          </section>
        )}
      </main>
      {hasDetails && desk.picture.chat && conversation && desk.picture.chat.status !== 'gone' && (
        <Details chat={desk.picture.chat} conversation={conversation} hide={() => setHasDetails(false)} />
      )}
      {dialog === 'announce' && <Announce desk={desk} close={() => setDialog(null)} tell={tell} />}
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
      <Toasts toasts={toasts} />
    </div>
  );
}
