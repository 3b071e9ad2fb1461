const UNITS = ['bytes', 'KiB', 'MiB', 'GiB'];

/** Returns a number of bytes for people, with three digits: `500 bytes`, `50 MiB`, `1.25 GiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${UNITS[power]}`;
}
