const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** RFC 9110 §5.6.7: "A recipient […] MUST accept all three HTTP-date formats." */
const FORMATS = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  String.raw`[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${TIME} GMT`,
  // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
  String.raw`[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) ${TIME} GMT`,
  // asctime: Sun Nov  6 08:49:37 1994
  String.raw`[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})`,
].map((format) => new RegExp(`^${format}$`));

/**
 * Returns the milliseconds since 1970 of an HTTP date, or null for anything else: `Date.parse`
 * would accept `1`, and local time. Does not check the name of the weekday.
 */
export function parseHttpDate(text: string, now = Date.now()): number | null {
  const match = FORMATS.map((format) => format.exec(text)).find((match) => match !== null);
  if (!match?.groups) return null;
  const { year = '', month = '', day, hour, minute, second } = match.groups;
  const monthIndex = MONTHS.indexOf(month);
  const time = new Date(0);
  time.setUTCFullYear(fullYear(year, now), monthIndex, Number(day));
  if (monthIndex === -1 || time.getUTCDate() !== Number(day)) return null;
  // 60 is a leap second.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  return time.setUTCHours(Number(hour), Number(minute), Number(second));
}

/**
 * Returns the full year. §5.6.7: a two-digit year that appears to be more than 50 years in the future is the most
 * recent past year with those digits.
 */
function fullYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}
