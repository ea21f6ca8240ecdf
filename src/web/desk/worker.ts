/** Service worker of the desk, for browsers whose pages cannot notify: a click on a notification leads to its conversation. */

/** The part of a service worker's world that is used: the page's types have none of it. */
interface WorkerScope {
  addEventListener(type: 'notificationclick', listener: (event: NotificationClick) => void): void;
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<unknown>;
  };
}
interface WindowClient {
  readonly url: string;
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}
interface NotificationClick {
  readonly notification: { close(): void; readonly data: { readonly groupId: string } };
  waitUntil(done: Promise<unknown>): void;
}

export type {};

declare const self: WorkerScope;

self.addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  event.waitUntil(openChat(notification.data.groupId));
});

async function openChat(groupId: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const desk = windows.find(({ url }) => new URL(url).pathname === '/desk');
  if (!desk) return void (await self.clients.openWindow(`/desk#chat=${encodeURIComponent(groupId)}`));
  desk.postMessage({ groupId });
  await desk.focus();
}
