/** [P-13.2] A bar for as long as customers are told that nobody answers: the dealer is closed, or no agent is here. */
import type { Picture } from './picture.ts';
import { text } from './texts.ts';
import { timeOf, whenOf } from './words.ts';

/** A time of today, or the day with it. */
function momentOf(at: string): string {
  const [when, time] = [whenOf(at), timeOf(at)];
  return when === time ? time : `${when}, ${time}`;
}

export function AvailabilityBar({ availability }: Pick<Picture, 'availability'>) {
  return (
    <div class="availability" role="status">
      {availability !== null && !availability.open && (
        <p>
          {availability.changesAt === undefined
            ? text('are closed')
            : text('are closed until', { time: momentOf(availability.changesAt) })}
        </p>
      )}
      {availability !== null && !availability.admins && <p>{text('last has left')}</p>}
    </div>
  );
}
