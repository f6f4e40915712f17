// Times, in the time zone and the order that the browser has.
import { text } from './text';

// A formatter is made when the first time is shown: it takes milliseconds.
const format = (options: Intl.DateTimeFormatOptions) => {
  let made: Intl.DateTimeFormat | null = null;
  return (at: number): string => (made ??= new Intl.DateTimeFormat(undefined, options)).format(at);
};
const withYear = format({ dateStyle: 'medium' }), withoutYear = format({ month: 'short', day: 'numeric' });
const clock = format({ timeStyle: 'short' }), full = format({ dateStyle: 'full', timeStyle: 'medium' });

const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

// day returns the day of a time as people say it. Hours matter for the last two days, and are of no
// interest for those of another year.
const day = (at: number, now = Date.now()): { name: string; hours: 'shown' | 'wide' | 'none' } => {
  const ago = Math.round((midnight(now) - midnight(at)) / 864e5);
  if (ago === 0 || ago === 1) return { name: ago ? text.yesterday : text.today, hours: 'shown' };
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return sameYear ? { name: withoutYear(at), hours: 'wide' } : { name: withYear(at), hours: 'none' };
};

// moment returns the day and the time of day.
export const moment = (at: number): string => `${day(at).name}, ${clock(at)}`;

export const Time = ({ at }: { at: number }) => {
  if (!at) return null;
  const { name, hours } = day(at);
  return <time dateTime={new Date(at).toISOString()} onPointerEnter={(e) => { e.currentTarget.title = full(at); }}>{name}{hours !== 'none' && <span class={hours === 'wide' ? 'clock' : undefined}>, {clock(at)}</span>}</time>;
};
