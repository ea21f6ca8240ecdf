/** The conversation that is open: who it is with, what was said, what is being said. */
import type { ComponentChildren } from 'preact';
import type { Chat } from './chat.ts';
import { Composer } from './composer.tsx';
import { type Conversation, nameOf, placeOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import { Lines } from './lines.tsx';
import { Who } from './who.tsx';

interface Props {
  readonly desk: Desk;
  readonly chat: Chat;
  readonly conversation: Conversation | undefined;
  readonly back: () => void;
  readonly hasDetails: boolean;
  readonly toggleDetails: () => void;
}

export function ChatPane({ desk, chat, conversation, back, hasDetails, toggleDetails }: Props) {
  const isGone = chat.status === 'gone' || (desk.picture.isListed && !conversation);
  return (
    <section class="chat" aria-label="Conversation">
      <div class="head">
        <button type="button" class="back narrow" onClick={back} aria-label="Back to the list" title="Back to the list">
          ←
        </button>
        {conversation && !isGone ? (
          <Head desk={desk} conversation={conversation}>
            <button type="button" aria-expanded={hasDetails} onClick={toggleDetails}>
              Details
            </button>
          </Head>
        ) : (
          <h2>{isGone ? 'Not there' : 'Reading…'}</h2>
        )}
      </div>
      {isGone && <p class="nothing">This conversation is not there any more. It may have been erased.</p>}
      {conversation && !isGone && (
        <>
          <Lines desk={desk} chat={chat} conversation={conversation} />
          <Composer desk={desk} conversation={conversation} />
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
  return (
    <>
      <div class="who">
        <h2>
          <span class={online ? 'dot online' : 'dot'} />
          <span class="role customer">Customer</span> <bdi>{nameOf(conversation)}</bdi>
        </h2>
        <p class="quiet">
          {online ? 'Online' : 'Offline'}
          {place && ' · '}
          <bdi>{place}</bdi>
        </p>
      </div>
      <div class="actions">
        {mutedBy === null ? (
          <button type="button" onClick={() => desk.takeOver(groupId)}>
            Take over
          </button>
        ) : (
          <button type="button" onClick={() => desk.handBack(groupId)}>
            Hand back to the bot
          </button>
        )}
        <button type="button" onClick={() => desk.closeChat(groupId)} disabled={closed}>
          {closed ? 'Closed' : 'Close'}
        </button>
        {children}
      </div>
      <p class="standing" role="status">
        <Standing conversation={conversation} me={desk.me.adminId} />
        {desk.others.length > 0 && (
          <strong class="others">
            {desk.others.map((adminId, index) => (
              <span key={adminId}>
                {index > 0 && ', '}
                <Who user="admin" adminId={adminId} name="" me={desk.me.adminId} />
              </span>
            ))}{' '}
            {desk.others.length === 1 ? 'is' : 'are'} here too.
          </strong>
        )}
      </p>
    </>
  );
}

function Standing({
  conversation: { mutedBy, closed, isSetAside },
  me,
}: {
  readonly conversation: Conversation;
  readonly me: string;
}) {
  if (isSetAside) return <span>Set aside: the name that this one had claimed is a signed-in customer's now.</span>;
  if (closed) return <span>Closed. A message opens it again.</span>;
  if (mutedBy === null) return <span>The bot answers. Your message silences it.</span>;
  if (mutedBy === me) return <span>You have taken over: the bot is silent.</span>;
  return (
    <span>
      <Who user="admin" adminId={mutedBy} name="" me={me} /> has taken over: the bot is silent.
    </span>
  );
}
