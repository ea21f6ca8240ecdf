/** Where an answer is written. Nothing of it is lost: every stroke is kept, over reloads and sign-ins. */
import { useRef, useState } from 'preact/hooks';
import { type Conversation, nameOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import { LengthHint, lengthOf, MAX_LENGTH } from './length.tsx';

interface Props {
  readonly desk: Desk;
  readonly conversation: Conversation;
}

/** Interval at which it is repeated that somebody still types, in milliseconds. */
const STILL = 3_000;

export function Composer({ desk, conversation }: Props) {
  const { groupId } = conversation;
  const [text, setText] = useState(() => desk.drafts.get(groupId) ?? '');
  /** When it was last said that this admin types; 0: not. */
  const saidAt = useRef(0);
  const canSend = text.trim() !== '' && lengthOf(text) <= MAX_LENGTH;

  const tellTyping = (isTyping: boolean) => {
    const now = Date.now();
    if (isTyping ? now - saidAt.current < STILL : saidAt.current === 0) return;
    saidAt.current = isTyping ? now : 0;
    desk.typing(groupId, isTyping);
  };
  const write = (next: string) => {
    desk.drafts.put(groupId, next);
    setText(next);
    tellTyping(next !== '');
  };
  const send = () => {
    if (!canSend) return;
    tellTyping(false);
    desk.say(groupId, text.trim());
    desk.drafts.drop(groupId);
    setText('');
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        id="answer"
        rows={1}
        dir="auto"
        aria-label={`Answer ${nameOf(conversation)}`}
        placeholder="Write an answer"
        value={text}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={press}
        onBlur={() => tellTyping(false)}
      />
      <button type="submit" class="primary" disabled={!canSend}>
        Send
      </button>
      <LengthHint text={text} />
    </form>
  );
}
