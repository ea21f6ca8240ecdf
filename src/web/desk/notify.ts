/** Telling an agent who looks at something else of a message: by a sound and a notification, in one tab. */
import { ring } from './sound.ts';

const LONGEST = 200;
/** Time that tabs which nobody looks at leave to one that somebody does, in milliseconds. */
const COURTESY = 150;
/** For how long a message that one tab has told of is told of by no other, in milliseconds. */
const HELD = 5_000;

export interface Call {
  /** The message among all others: each is told of once, in one tab. */
  readonly key: string;
  readonly title: string;
  readonly message: string;
  readonly groupId: string;
  /** True where somebody looks at this very conversation. */
  readonly isSeen: boolean;
  readonly goTo: () => void;
}

/** Tells whether the browser can notify: it cannot on a page that was not served over HTTPS or from this machine. */
export const canNotify = (): boolean => 'Notification' in globalThis && isSecureContext;

/** Tells whether somebody looks at this tab. */
export const isLookedAt = (): boolean => document.visibilityState === 'visible' && document.hasFocus();

/** Tells of a message, where no other tab has, and nobody sees it in one. */
export async function call(message: Call): Promise<void> {
  if (!isLookedAt()) await pause(COURTESY);
  if (!(await isFirst(message.key)) || message.isSeen) return;
  ring();
  if (!isLookedAt() && canNotify() && Notification.permission === 'granted') await show(message);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Tells whether no tab of this browser has had this key yet. */
function isFirst(key: string): Promise<boolean> {
  const { locks } = navigator;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    void locks.request(`telle.desk/${key}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && pause(HELD);
    });
  });
}

async function show({ title, message, groupId, goTo }: Call): Promise<void> {
  // One conversation has one notification, and each message rings again.
  const options = { body: message.slice(0, LONGEST), tag: groupId, renotify: true, data: { groupId } };
  const notification = made(title, options);
  if (!notification) return showByWorker(title, options);
  notification.onclick = () => {
    window.focus();
    goTo();
    notification.close();
  };
}

/** @returns null on Android, where a page cannot make one */
function made(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
}

/** By a service worker, which opens the conversation by its address; where there can be none, the sound was all. */
async function showByWorker(title: string, options: NotificationOptions): Promise<void> {
  try {
    await navigator.serviceWorker.register('/desk-worker.js', { scope: '/desk' });
    await (await navigator.serviceWorker.ready).showNotification(title, options);
  } catch {
    // Told of in the tab's title, as everything is.
  }
}
