/** Giving a conversation to a colleague who is here. */
import { type Conversation, nameOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import { Dialog } from './dialog.tsx';
import { text } from './texts.ts';

interface Props {
  readonly desk: Desk;
  readonly conversation: Conversation;
  readonly close: () => void;
}

export function Transfer({ desk, conversation, close }: Props) {
  const { colleagues } = desk.picture;
  const give = (adminId: string) => {
    desk.acts.assign(conversation, adminId);
    close();
  };
  return (
    <Dialog title={text('transfer of', { name: nameOf(conversation) })} close={close}>
      {colleagues.length === 0 && <p>{text('no colleague')}</p>}
      <ul class="colleagues">
        {colleagues.map((adminId) => (
          <li key={adminId}>
            <button type="button" onClick={() => give(adminId)} disabled={adminId === conversation.assignee}>
              <bdi>{adminId}</bdi>
            </button>
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button type="button" onClick={close}>
          {text('cancel')}
        </button>
      </div>
    </Dialog>
  );
}
