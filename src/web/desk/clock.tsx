/** For how long a customer waits. Nobody is told each time that it moves on: it is read where somebody looks. */
import { useEffect, useReducer } from 'preact/hooks';
import type { Conversation } from './conversation.ts';
import { text } from './texts.ts';
import { lastingOf } from './words.ts';

/** Interval at which it is looked at anew, in milliseconds. */
const TICK = 1_000;

/** State of a wait: how soon somebody must answer. @param within [P-12.2] in how many seconds */
function urgencyOf({ waiting, overdueSince }: Conversation, within: number, now: number): 'calm' | 'soon' | 'late' {
  if (waiting?.for !== 'admin') return 'calm';
  const lasts = (now - Date.parse(waiting.since)) / 1000;
  if (overdueSince === waiting.since || lasts >= within) return 'late';
  return lasts >= within / 2 ? 'soon' : 'calm';
}

interface Props {
  readonly conversation: Conversation;
  /** Seconds within which an admin is to answer. */
  readonly within: number;
}

export function Clock({ conversation, within }: Props) {
  const [, tick] = useReducer((count: number, _: undefined) => count + 1, 0);
  const { waiting, closed } = conversation;
  const since = closed ? undefined : waiting?.since;
  useEffect(() => {
    if (since === undefined) return;
    const timer = setInterval(() => tick(undefined), TICK);
    return () => clearInterval(timer);
  }, [since]);
  if (since === undefined) return null;
  const now = Date.now();
  const urgency = urgencyOf(conversation, within, now);
  return (
    <time class={`clock ${urgency}`} dateTime={since}>
      <span class="unseen">
        {text(urgency === 'late' ? 'waits too long' : waiting?.for === 'bot' ? 'waits for bot' : 'waits')}
      </span>
      {lastingOf(now - Date.parse(since))}
    </time>
  );
}
