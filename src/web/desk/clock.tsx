/** For how long a customer waits. Nobody is told each time that it moves on: it is read where somebody looks. */
import { useEffect, useReducer } from 'preact/hooks';
import type { Conversation } from './conversation.ts';
import { text } from './texts.ts';
import { lastingOf } from './words.ts';

/** [P-12.2] Time within which an agent is to answer, where the dealer has said no other: what it has said is told by `OVERDUE`. */
const ANSWER_WITHIN = 120_000;
/** Interval at which it is looked at anew, in milliseconds. */
const TICK = 1_000;

/** State of a wait: how soon somebody must answer. */
export function urgencyOf({ waiting, overdueSince }: Conversation, now: number): 'calm' | 'soon' | 'late' {
  if (waiting?.for !== 'admin') return 'calm';
  const lasts = now - Date.parse(waiting.since);
  if (overdueSince === waiting.since || lasts >= ANSWER_WITHIN) return 'late';
  return lasts >= ANSWER_WITHIN / 2 ? 'soon' : 'calm';
}

export function Clock({ conversation }: { readonly conversation: Conversation }) {
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
  const urgency = urgencyOf(conversation, now);
  return (
    <time class={`clock ${urgency}`} dateTime={since}>
      <span class="unseen">
        {text(urgency === 'late' ? 'waits too long' : waiting?.for === 'bot' ? 'waits for bot' : 'waits')}
      </span>
      {lastingOf(now - Date.parse(since))}
    </time>
  );
}
