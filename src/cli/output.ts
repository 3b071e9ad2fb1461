/** Replaces control characters, which could end a line or a column early, or change how a terminal works. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** Prints a line of columns that are separated by tabs. */
export function printColumns(columns: readonly string[]): void {
  console.log(columns.map(printable).join('\t'));
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value));
}

/** Returns a time for people, to the minute, in UTC. */
export function formatTime(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** Returns a size for people: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
