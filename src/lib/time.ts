/** ISO 8601, and `2026-01-01 10:00:00 +0000`. A query string may turn the offset's `+` into a space. */
const TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|UTC|[+ -]\d\d(?::?\d\d)?)?)?$/i;

/** Returns a date, or a date and time, in milliseconds since 1970; null for other text. Without an offset it is UTC. */
export function parseTime(text: string): number | null {
  const [, date, minutes = '00:00', seconds = '00', fraction = '', offset = 'Z'] =
    TIME.exec(text) ?? [];
  if (date === undefined) return null;
  const utc = `${date}T${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const time = Date.parse(utc);
  // `Date` would read a day that does not exist, such as 30 February, as one of the next month.
  if (Number.isNaN(time) || new Date(time).toISOString() !== utc) return null;
  const offsetMs = parseOffset(offset);
  return offsetMs === null ? null : time - offsetMs;
}

function parseOffset(offset: string): number | null {
  const [, sign, hours, minutes = '0'] = /^([+ -])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  if (hours === undefined) return 0;
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return sign === '-' ? -ms : ms;
}
