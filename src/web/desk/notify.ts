/** Notifications that the browser shows when nobody looks at the desk. */
const LONGEST = 200;

/** Tells whether the browser can notify: it cannot on a page that was not served over HTTPS or from this machine. */
export const canNotify = (): boolean => 'Notification' in globalThis && isSecureContext;

/** Tells of a message, where that is allowed and nobody is looking. */
export function notify(name: string, message: string, groupId: string, goTo: () => void): void {
  const isSeen = document.visibilityState === 'visible' && document.hasFocus();
  if (isSeen || !canNotify() || Notification.permission !== 'granted') return;
  const notification = new Notification(name, { body: message.slice(0, LONGEST), tag: groupId });
  notification.onclick = () => {
    window.focus();
    goTo();
    notification.close();
  };
}
