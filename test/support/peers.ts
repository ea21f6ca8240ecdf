/** Sockets that are no sockets: what the hub and the journal send to them is kept. */
import type { Credential } from '../../src/hub/hub.ts';
import type { Peer } from '../../src/hub/peer.ts';

/** By what a customer of a group sits in the hub. */
export const CREDENTIAL: Credential = {
  claims: { role: 'customer', dealer: 'd1', sub: 'g1', exp: 0 },
  gen: 0,
  tokenId: undefined,
  minted: false,
};

export class TestPeer implements Peer {
  /** Every frame sent, in order. */
  readonly texts: string[] = [];
  /** How it was closed, each time. */
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  /** What it says to have unsent; a test sets it. */
  unsent = 0;

  get isOpen(): boolean {
    return this.closes.length === 0;
  }

  /** After `close` nothing more goes out, as `Peer` says. */
  send(frame: string, onGone?: () => void): void {
    if (this.isOpen) this.texts.push(frame);
    onGone?.();
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }
}
