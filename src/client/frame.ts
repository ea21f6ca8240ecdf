/** Frames as a server sends them [P-2.3]. */
import type { AckPayload, Delivered, ErrorPayload, SessionPayload } from './types.ts';

/** An event's frame; what is not stored has neither scope nor seq. */
export interface EventFrame {
  readonly channel: keyof Delivered;
  /** Of the kind that goes with its channel: that is the server's word. */
  readonly payload: never;
  readonly id?: string;
  readonly scope?: string;
  readonly seq?: number;
  readonly at?: string;
}
export type Frame =
  | { readonly channel: 'session'; readonly payload: SessionPayload }
  | { readonly channel: 'ack'; readonly payload: AckPayload }
  | { readonly channel: 'error'; readonly payload: ErrorPayload }
  | { readonly channel: 'pong' }
  | EventFrame;
