// Times, in the time zone and the order that the browser has.

// A formatter is made when the first time is shown: it takes milliseconds.
const format = (options: Intl.DateTimeFormatOptions) => {
  let made: Intl.DateTimeFormat | null = null;
  return (at: number): string => (made ??= new Intl.DateTimeFormat(undefined, options)).format(at);
};
const day = format({ dateStyle: 'medium' }), clock = format({ timeStyle: 'short' }), full = format({ dateStyle: 'full', timeStyle: 'medium' });

// moment returns the day and the time of day.
export const moment = (at: number): string => `${day(at)} ${clock(at)}`;

export const Time = ({ at }: { at: number }) => at
  ? <time dateTime={new Date(at).toISOString()} onPointerEnter={(e) => { e.currentTarget.title = full(at); }}>{day(at)}<span class="clock"> {clock(at)}</span></time>
  : null;
