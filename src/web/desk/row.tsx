/** A row of the list: who it is, what was said last or found, and who sees to it. */
import { Clock } from './clock.tsx';
import { activeAt, askedFor, type Conversation, isWaiting, nameOf, placeOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import type { TextName } from './languages/en.ts';
import type { Hit } from './search.ts';
import { parts, text } from './texts.ts';
import { Who } from './who.tsx';
import { whenOf } from './words.ts';

interface RowProps {
  readonly desk: Desk;
  readonly conversation: Conversation;
  readonly isOpen: boolean;
  readonly isReached: boolean;
  readonly reach: () => void;
  readonly open: (groupId: string) => void;
}

export function Row({ desk, conversation, isOpen, isReached, reach, open }: RowProps) {
  const { groupId, online, unread, waiting } = conversation;
  const isToDo = isWaiting(conversation);
  const place = placeOf(conversation);
  return (
    <button
      type="button"
      class={isToDo ? 'row waiting' : 'row'}
      aria-current={isOpen ? 'true' : undefined}
      tabIndex={isReached ? 0 : -1}
      onFocus={reach}
      onClick={() => open(groupId)}
    >
      <span class="first">
        <span class={online ? 'dot online' : 'dot'} />
        <span class="unseen">{text('customer')} </span>
        <span class="name">
          <bdi>{nameOf(conversation)}</bdi>
        </span>
        <span class="unseen">{text(online ? 'is online' : 'is offline')}</span>
        <time dateTime={activeAt(conversation)}>{whenOf(activeAt(conversation))}</time>
      </span>
      <span class="second">
        <LastWords desk={desk} conversation={conversation} />
        {waiting && unread > 0 && (
          <span class="count">
            {unread}
            <span class="unseen">{text('so many unread', { count: unread })}</span>
          </span>
        )}
      </span>
      <span class="third">
        <span class="place">{place && parts(online ? 'is on' : 'was on', { place: <bdi>{place}</bdi> })}</span>
        <Clock conversation={conversation} within={desk.picture.answerWithin} />
        <Badge conversation={conversation} me={desk.me.adminId} />
      </span>
    </button>
  );
}

function LastWords({ desk, conversation }: Pick<RowProps, 'desk' | 'conversation'>) {
  const { groupId, last } = conversation;
  const me = desk.me.adminId;
  const [typist] = desk.picture.typists.of(groupId);
  if (typist !== undefined) {
    const isCustomer = typist.user === 'customer';
    return (
      <span class="words typing">
        {isCustomer ? text('types here') : parts('is typing', { who: <Who {...typist} name="" me={me} /> })}
      </span>
    );
  }
  const hit = desk.search.found.get(groupId);
  if (hit && hit.field !== 'name' && hit.snippet !== last?.message) {
    return <Found field={hit.field} snippet={hit.snippet} />;
  }
  const asked = askedFor(conversation);
  if (asked !== null) {
    return (
      <span class="words asked">
        <Who user="bot" name="" me={me} /> <bdi>{asked}</bdi>
      </span>
    );
  }
  if (!last) return <span class="words quiet">{text('nothing said')}</span>;
  return (
    <span class="words">
      {last.user === 'customer' ? <span class="unseen">{text('said')}</span> : <Who {...last} name="" me={me} />}{' '}
      <bdi>{last.message}</bdi>
    </span>
  );
}

/** Introductions to what the server has found, by where that is. */
const FOUND_IN: Readonly<Record<Exclude<Hit['field'], 'name'>, TextName>> = {
  message: 'found in',
  email: 'found email',
  phone: 'found phone',
  vin: 'found vin',
  stock: 'found stock',
};

function Found({ field, snippet }: { readonly field: keyof typeof FOUND_IN; readonly snippet: string }) {
  return (
    <span class="words">
      <span class="quiet">{text(FOUND_IN[field])}</span>
      <bdi>{snippet}</bdi>
    </span>
  );
}

function Badge({
  conversation: { assignee, mutedBy, closed, isSetAside },
  me,
}: {
  readonly conversation: Conversation;
  readonly me: string;
}) {
  if (isSetAside) return <span class="badge">{text('set aside')}</span>;
  if (closed) return <span class="badge">{text('closed')}</span>;
  const whose = assignee ?? mutedBy;
  if (whose === null) return null;
  return (
    <span class="badge taken">
      <span class="unseen">{text(mutedBy === null ? 'assigned to' : 'taken over by')}</span>
      <bdi>{whose === me ? text('you') : whose}</bdi>
    </span>
  );
}
