/** The part of a transport that the cases need: WebSocket is one. */

export interface Listener {
  /** A frame has come, as text. */
  text(text: string): void;
  /** The connection is closed, by either side. */
  closed(code: number): void;
}

/** One connection that is open. */
export interface Connection {
  send(text: string): void;
  close(): void;
}

export interface Transport {
  /** Connects; `token` goes where the transport has a place of its own for one [P-3.4]. */
  open(listener: Listener, token?: string): Promise<Connection>;
}
