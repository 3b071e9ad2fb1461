import { styleText } from 'node:util';

/** Fields of each line that are shown in another way, or not at all. */
const HIDDEN = ['level', 'time', 'pid', 'hostname', 'msg', 'reqId', 'traceId', 'spanId', 'err'];

/** The levels that deserve attention, by pino's numbers. */
const MARKS = [
  { level: 60, text: 'FATAL ', style: 'red' },
  { level: 50, text: 'ERROR ', style: 'red' },
  { level: 40, text: 'WARN ', style: 'yellow' },
] as const;

/**
 * Converts a JSON line of the log into one for people: the time, the message, and the fields that the message does not
 * contain. A request becomes `GET /graphql 200 3.2 ms`. Control characters are escaped, so that no client can write to
 * the terminal. Returns a text that is not JSON as it is.
 */
export function toReadableLine(line: string): string {
  const entry = parseEntry(line);
  if (entry === null) return line;
  const { level, time, msg, err } = entry;
  const mark = MARKS.find((one) => Number(level) >= one.level);
  const text = msg === 'request' ? requestText(entry) : eventText(entry, String(msg ?? ''));
  return [
    `${styleText('dim', clockTime(Number(time)))}  `,
    mark === undefined ? '' : styleText(mark.style, mark.text),
    text,
    err === undefined ? '' : `\n${stackText(err)}`,
    '\n',
  ].join('');
}

type Entry = Record<string, unknown>;

function parseEntry(line: string): Entry | null {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' ? (entry as Entry | null) : null;
  } catch {
    return null;
  }
}

function clockTime(timeMs: number): string {
  return new Date(timeMs).toTimeString().slice(0, 8);
}

function requestText({ method, path, status, durationMs, viewer }: Entry): string {
  const code = Number(status);
  const style = code >= 500 ? 'red' : code >= 400 ? 'yellow' : 'green';
  const end = [`${durationMs} ms`, ...(viewer === undefined ? [] : [printable(viewer)])].join(' ');
  const begin = `${printable(method)} ${printable(path)}`;
  return `${begin} ${styleText(style, String(code))} ${styleText('dim', end)}`;
}

function eventText(entry: Entry, message: string): string {
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.includes(name))
    .map(([name, value]) => ({ name, text: printable(value) }))
    .filter(({ text }) => !message.includes(text))
    .map(({ name, text }) => styleText('dim', ` ${name}=${shorten(text)}`));
  return printable(message) + fields.join('');
}

/** A list of migrations would fill the terminal. */
const FIELD_LENGTH_MAX = 200;

function shorten(text: string): string {
  return text.length > FIELD_LENGTH_MAX ? `${text.slice(0, FIELD_LENGTH_MAX)}…` : text;
}

function stackText(err: unknown): string {
  const { stack, message } = err as { stack?: unknown; message?: unknown };
  const lines = String(stack ?? message).split('\n');
  return lines.map((line) => `  ${printable(line)}`).join('\n');
}

function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
