/** Colleagues who are here, and the state of the connection: always in sight. */
import { useEffect, useState } from 'preact/hooks';
import { AvailabilityBar } from './availability.tsx';
import type { ConnectionState, Desk } from './desk.ts';
import { canNotify } from './notify.ts';
import { isSoundOn, turnSound } from './sound.ts';
import { parts, text } from './texts.ts';

interface Props {
  readonly desk: Desk;
  readonly announce: () => void;
  readonly showShortcuts: () => void;
  readonly signOut: () => void;
}

export function Bar({ desk, announce, showShortcuts, signOut }: Props) {
  const { dealerId, adminId } = desk.me;
  return (
    <header class="bar">
      <h1>
        {text('desk')}
        <span class="who">{parts('at', { agent: <bdi>{adminId}</bdi>, dealer: <bdi>{dealerId}</bdi> })}</span>
      </h1>
      <Colleagues ids={desk.picture.colleagues} />
      <ConnectionSign connection={desk.connection} />
      <nav aria-label={text('desk')}>
        <button type="button" onClick={announce}>
          {text('announce')}
        </button>
        <NotifyButton />
        <SoundButton />
        <button
          type="button"
          class="narrow"
          onClick={showShortcuts}
          aria-label={text('keyboard shortcuts')}
          title={text('keyboard shortcuts')}
        >
          ?
        </button>
        <button type="button" onClick={signOut}>
          {text('sign out')}
        </button>
      </nav>
      <AvailabilityBar availability={desk.picture.availability} />
    </header>
  );
}

/** Colleagues that are named; of the others, how many there are. */
const NAMED = 3;

function Colleagues({ ids }: { readonly ids: readonly string[] }) {
  if (ids.length === 0) return null;
  const others = ids.length > NAMED ? ` +${ids.length - NAMED}` : '';
  return (
    <p class="quiet wide-only" title={ids.join(', ')}>
      {text('also here', { who: ids.slice(0, NAMED).join(', ') + others })}
    </p>
  );
}

function ConnectionSign({ connection }: { readonly connection: ConnectionState }) {
  const { state } = connection;
  return (
    <p class={`connection ${state}`}>
      <span role="status">{text(state)}</span>
      {state === 'offline' && <Countdown to={connection.retryAt} />}
    </p>
  );
}

/** Not for screen readers: it would be read out each second. */
function Countdown({ to }: { readonly to: number }) {
  const left = () => Math.max(0, Math.ceil((to - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [to]);
  return <span aria-hidden="true">{text('next try', { seconds })}</span>;
}

/** Asks for leave to notify: by a click, never by itself. */
function NotifyButton() {
  const [permission, setPermission] = useState(() => (canNotify() ? Notification.permission : null));
  if (permission === null || permission === 'granted') return null;
  if (permission === 'denied') return <span class="quiet wide-only">{text('notifications blocked')}</span>;
  return (
    <button type="button" onClick={async () => setPermission(await Notification.requestPermission())}>
      {text('notify me')}
    </button>
  );
}

function SoundButton() {
  const [isOn, setIsOn] = useState(isSoundOn);
  const turn = () => {
    turnSound(!isOn);
    setIsOn(!isOn);
  };
  return (
    <button type="button" class="toggle" aria-pressed={isOn} onClick={turn}>
      {text('sound')}
    </button>
  );
}
