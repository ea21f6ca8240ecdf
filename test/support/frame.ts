/** A frame as a test reads it. */
export interface Frame {
  readonly channel: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is not there
  readonly payload: any;
  readonly id?: string;
  readonly scope?: string;
  readonly seq?: number;
  readonly at?: string;
}
