/** One message to every customer of the dealer: written, and then confirmed. */
import { useEffect, useState } from 'preact/hooks';
import type { Desk } from './desk.ts';
import { Dialog } from './dialog.tsx';
import { LengthHint, lengthOf, MAX_LENGTH } from './length.tsx';
import type { Readings } from './readings.ts';
import { whenOf } from './words.ts';

interface Props {
  readonly desk: Desk;
  readonly close: () => void;
  readonly tell: (text: string) => void;
}

/** The name of an announcement's draft: no conversation has it. */
const DRAFT = '@dealer';

export function Announce({ desk, close, tell }: Props) {
  const [text, setText] = useState(() => desk.drafts.get(DRAFT) ?? '');
  const [isAsked, setIsAsked] = useState(false);
  const [fault, setFault] = useState('');
  const online = [...desk.picture.conversations.values()].filter((conversation) => conversation.online).length;
  const canSend = text.trim() !== '' && lengthOf(text) <= MAX_LENGTH;

  const write = (next: string) => {
    desk.drafts.put(DRAFT, next);
    setText(next);
  };
  const send = async () => {
    try {
      await desk.announce(text.trim());
      desk.drafts.drop(DRAFT);
      tell('Announced to everybody.');
      close();
    } catch (error) {
      setIsAsked(false);
      setFault(`It was not announced: ${error instanceof Error ? error.message : error}`);
    }
  };

  return (
    <Dialog title="Announce to everybody" close={close}>
      {isAsked ? (
        <>
          <p>
            Every customer of this dealer sees this, now or when they come back. <strong>{online}</strong>{' '}
            {online === 1 ? 'is' : 'are'} online now. It cannot be taken back.
          </p>
          <blockquote dir="auto">{text}</blockquote>
          <div class="buttons">
            <button type="button" onClick={() => setIsAsked(false)}>
              Change it
            </button>
            <button type="button" class="primary" onClick={send} disabled={desk.connection.state !== 'joined'}>
              Announce to everybody
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
          <label for="announcement">Announcement</label>
          <textarea
            id="announcement"
            rows={4}
            dir="auto"
            value={text}
            onInput={({ currentTarget }) => write(currentTarget.value)}
          />
          <LengthHint text={text} />
          <p class="fault" role="alert">
            {fault}
          </p>
          <div class="buttons">
            <button type="button" onClick={close}>
              Cancel
            </button>
            <button type="submit" class="primary" disabled={!canSend}>
              Continue
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
    <section aria-label="Announced before">
      <h3>Announced before</h3>
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
