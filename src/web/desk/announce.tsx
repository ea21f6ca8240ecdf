/** One message to every customer of the dealer: written, and then confirmed. */
import { useEffect, useState } from 'preact/hooks';
import { ANNOUNCEMENT } from './acts.ts';
import type { Desk } from './desk.ts';
import { Dialog } from './dialog.tsx';
import { LengthHint, lengthOf, MAX_LENGTH } from './length.tsx';
import type { Readings } from './readings.ts';
import { parts, text as say } from './texts.ts';
import { whenOf } from './words.ts';

interface Props {
  readonly desk: Desk;
  readonly close: () => void;
}

export function Announce({ desk, close }: Props) {
  const [text, setText] = useState(() => desk.drafts.get(ANNOUNCEMENT) ?? '');
  const [isAsked, setIsAsked] = useState(false);
  const online = [...desk.picture.conversations.values()].filter((conversation) => conversation.online).length;
  const canSend = text.trim() !== '' && lengthOf(text) <= MAX_LENGTH;

  const write = (next: string) => {
    desk.drafts.put(ANNOUNCEMENT, next);
    setText(next);
  };
  const send = () => {
    desk.acts.announce(text.trim());
    close();
  };

  return (
    <Dialog title={say('announce to all')} close={close}>
      {isAsked ? (
        <>
          <p>{parts('everybody sees', { count: <strong>{online}</strong> }, online)}</p>
          <blockquote dir="auto">{text}</blockquote>
          <div class="buttons">
            <button type="button" onClick={() => setIsAsked(false)}>
              {say('change it')}
            </button>
            <button type="button" class="primary" onClick={send} disabled={desk.connection.state !== 'joined'}>
              {say('announce to all')}
            </button>
          </div>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (canSend) setIsAsked(true);
          }}
        >
          <label for="announcement">{say('announcement')}</label>
          <textarea
            id="announcement"
            rows={4}
            dir="auto"
            value={text}
            onInput={({ currentTarget }) => write(currentTarget.value)}
          />
          <LengthHint text={text} />
          <div class="buttons">
            <button type="button" onClick={close}>
              {say('cancel')}
            </button>
            <button type="submit" class="primary" disabled={!canSend}>
              {say('continue')}
            </button>
          </div>
          <Before desk={desk} />
        </form>
      )}
    </Dialog>
  );
}

/** Earlier announcements. */
function Before({ desk }: { readonly desk: Desk }) {
  const [before, setBefore] = useState<Awaited<ReturnType<Readings['announcements']>>>([]);
  useEffect(() => {
    desk.readings.announcements().then(setBefore, () => {});
  }, []);
  if (before.length === 0) return null;
  return (
    <section aria-label={say('announced before')}>
      <h3>{say('announced before')}</h3>
      <ul class="before">
        {before
          .slice(-3)
          .reverse()
          .map(({ at, adminId, message }) => (
            <li key={at}>
              <span class="quiet">
                {whenOf(at)} <bdi>{adminId}</bdi>
              </span>
              <span dir="auto">{message}</span>
            </li>
          ))}
      </ul>
    </section>
  );
}
