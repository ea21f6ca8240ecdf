/** Asks whoever followed a link whether to sign in as whom it is for: nobody else can answer in their place. */
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { accept, type Invitation, SessionError, type SignIn } from './sign-in.ts';
import { parts, text } from './texts.ts';

interface Props {
  readonly invitation: Invitation;
  /** Session that is signed in already. */
  readonly signedIn: SignIn | null;
  readonly enter: (signIn: SignIn) => void;
  readonly close: () => void;
}

/** Why a link is of no use. */
function faultOf({ status, message }: SessionError, { code }: Invitation): string {
  if (code === undefined && status === 404) {
    return text('no demo');
  }
  if (status === 401) return text('link used');
  return text('not signed in', { fault: message });
}

const names = ({ dealerId, adminId }: Pick<SignIn, 'dealerId' | 'adminId'>) => ({
  dealer: <strong class="id">{dealerId}</strong>,
  agent: <strong class="id">{adminId}</strong>,
});

export function InvitationDialog({ invitation, signedIn, enter, close }: Props) {
  const [fault, setFault] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const open = async () => {
    setIsAsking(true);
    try {
      enter(await accept(invitation));
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      setFault(faultOf(error, invitation));
      setIsAsking(false);
    }
  };
  return (
    <Dialog title={text('open this')} close={close}>
      <p>{parts('open as', names(invitation))}</p>
      {signedIn && <p>{parts('signed in as', names(signedIn))}</p>}
      <p class="fault" role="alert">
        {fault}
      </p>
      <div class="buttons">
        <button type="button" class={signedIn ? 'primary' : ''} onClick={close}>
          {text(signedIn ? 'stay' : 'cancel')}
        </button>
        <button type="button" class={signedIn ? '' : 'primary'} onClick={open} disabled={isAsking}>
          {text('open desk')}
        </button>
      </div>
    </Dialog>
  );
}
