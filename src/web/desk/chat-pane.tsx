/** The conversation that is open: who it is with, what was said, what is being said. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Chat } from './chat.ts';
import { Composer } from './composer.tsx';
import { type Conversation, isHeld, isMine, nameOf, placeOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import { Lines } from './lines.tsx';
import { parts, text } from './texts.ts';
import { Transfer } from './transfer.tsx';
import { Who, WhoEach } from './who.tsx';

interface Props {
  readonly desk: Desk;
  readonly chat: Chat;
  readonly conversation: Conversation | undefined;
  readonly back: () => void;
  readonly hasDetails: boolean;
  readonly toggleDetails: () => void;
  /** True where somebody opened it to answer. */
  readonly mustFocus: boolean;
}

export function ChatPane({ desk, chat, conversation, back, hasDetails, toggleDetails, mustFocus }: Props) {
  const isGone = chat.status === 'gone';
  return (
    <section class="chat" aria-label={text('conversation')}>
      <div class="head">
        <button
          type="button"
          class="back narrow"
          onClick={back}
          aria-label={text('back to list')}
          title={text('back to list')}
        >
          ←
        </button>
        {conversation && !isGone ? (
          <Head desk={desk} conversation={conversation}>
            <button type="button" aria-expanded={hasDetails} onClick={toggleDetails}>
              {text('details')}
            </button>
          </Head>
        ) : (
          <h2>{text(isGone ? 'not there' : 'reading')}</h2>
        )}
      </div>
      {isGone && <p class="nothing">{text('was erased')}</p>}
      {conversation && !isGone && (
        <>
          <Lines desk={desk} chat={chat} conversation={conversation} />
          <Composer desk={desk} conversation={conversation} mustFocus={mustFocus} />
        </>
      )}
    </section>
  );
}

interface HeadProps {
  readonly desk: Desk;
  readonly conversation: Conversation;
  readonly children: ComponentChildren;
}

function Head({ desk, conversation, children }: HeadProps) {
  const { groupId, online, mutedBy, closed } = conversation;
  const place = placeOf(conversation);
  const me = desk.me.adminId;
  const [isTransferring, setIsTransferring] = useState(false);
  const others = desk.others.map((adminId) => ({ user: 'admin', adminId }) as const);
  return (
    <>
      <div class="who">
        <h2>
          <span class={online ? 'dot online' : 'dot'} />
          <span class="role customer">{text('customer')}</span> <bdi>{nameOf(conversation)}</bdi>
        </h2>
        <p class="quiet">
          {text(online ? 'now online' : 'now offline')}
          {place && ' · '}
          <bdi>{place}</bdi>
        </p>
      </div>
      <div class="actions">
        {!isMine(conversation, me) && (
          <button type="button" onClick={() => desk.acts.takeOver(conversation)}>
            {text('take over')}
          </button>
        )}
        {isHeld(conversation) && (
          <button type="button" onClick={() => desk.acts.handBack(conversation)}>
            {text(mutedBy === null ? 'let go' : 'hand back')}
          </button>
        )}
        <button type="button" aria-haspopup="dialog" onClick={() => setIsTransferring(true)}>
          {text('transfer')}
        </button>
        <button
          type="button"
          onClick={() => desk.acts.closeChat(conversation)}
          disabled={closed || desk.acts.isClosing(groupId)}
        >
          {text(closed ? 'closed' : 'close')}
        </button>
        {children}
      </div>
      <p class="standing" role="status">
        <Assigned conversation={conversation} me={me} />
        <Standing conversation={conversation} me={me} />
        {others.length > 0 && (
          <strong class="others">
            {parts('here too', { who: <WhoEach people={others} name="" me={me} /> }, others.length)}
          </strong>
        )}
      </p>
      {isTransferring && <Transfer desk={desk} conversation={conversation} close={() => setIsTransferring(false)} />}
    </>
  );
}

/** [P-12.3] Name of the one whose it is. */
function Assigned({ conversation: { assignee }, me }: { readonly conversation: Conversation; readonly me: string }) {
  if (assignee === null) return <span>{text('assigned to nobody')}</span>;
  return (
    <strong class="assigned">
      {parts('is assigned', { who: <Who user="admin" adminId={assignee} name="" me={me} /> })}
    </strong>
  );
}

function Standing({
  conversation: { mutedBy, closed, isSetAside },
  me,
}: {
  readonly conversation: Conversation;
  readonly me: string;
}) {
  if (isSetAside) return <span>{text('standing set aside')}</span>;
  if (closed) return <span>{text('standing closed')}</span>;
  if (mutedBy === null) return <span>{text('standing bot')}</span>;
  if (mutedBy === me) return <span>{text('standing mine')}</span>;
  return <span>{parts('standing theirs', { who: <Who user="admin" adminId={mutedBy} name="" me={me} /> })}</span>;
}
