import type { CloseCode } from '../../schemas/errors.ts';
import type { Socket } from '../../src/conversation/socket.ts';
import type { Frame } from './frame.ts';

/** All that it takes to carry a conversation: this one keeps what it is sent. */
export class MemorySocket implements Socket {
  readonly frames: Frame[] = [];
  isPaused = false;
  isOpen = true;
  /** A test sets it. */
  unsent = 0;
  /** The code with which it was closed. */
  closedWith: CloseCode | null = null;
  /** Why, in words. */
  reason = '';

  send(text: string, onGone?: () => void): void {
    this.frames.push(JSON.parse(text));
    onGone?.();
  }

  close(code: CloseCode, reason: string): void {
    if (this.closedWith === null) this.reason = reason;
    this.isOpen = false;
    this.closedWith ??= code;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}
