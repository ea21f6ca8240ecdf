/** Asks whoever followed a link whether to sign in as whom it is for: nobody else can answer in their place. */
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { accept, type Invitation, SessionError, type SignIn } from './sign-in.ts';

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
    return 'This server has no dealer demo, or shows its desk to browsers on its own machine alone.';
  }
  if (status === 401) return 'This link was used before, or is older than a minute. Ask for another.';
  return `You could not be signed in: ${message}.`;
}

export function InvitationDialog({ invitation, signedIn, enter, close }: Props) {
  const { dealerId, adminId } = invitation;
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
    <Dialog title="Open this desk?" close={close}>
      <p>
        Open the desk of <strong class="id">{dealerId}</strong> as <strong class="id">{adminId}</strong>?
      </p>
      {signedIn && (
        <p>
          You are signed in as <strong class="id">{signedIn.adminId}</strong> at{' '}
          <strong class="id">{signedIn.dealerId}</strong>. If you did not ask for this link, stay there.
        </p>
      )}
      <p class="fault" role="alert">
        {fault}
      </p>
      <div class="buttons">
        <button type="button" class={signedIn ? 'primary' : ''} onClick={close}>
          {signedIn ? 'Stay' : 'Cancel'}
        </button>
        <button type="button" class={signedIn ? '' : 'primary'} onClick={open} disabled={isAsking}>
          Open the desk
        </button>
      </div>
    </Dialog>
  );
}
