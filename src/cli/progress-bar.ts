import cliProgress from 'cli-progress';

/** Shows how far one file is. */
export interface ProgressBar {
  update(sentBytes: number): void;
  /** A remark beside the bar, until the next update. */
  note(text: string): void;
  /** Leaves nothing of the bar. */
  stop(): void;
}

const SILENT: ProgressBar = { update: () => {}, note: () => {}, stop: () => {} };

/** On a terminal's stderr, so that stdout holds results only; nowhere else, as a log wants no bars. */
export function startProgressBar(label: string, totalBytes: number): ProgressBar {
  if (!process.stderr.isTTY) return SILENT;
  const bar = new cliProgress.SingleBar(
    {
      format: '{bar} {percentage}% of {total} | {eta_formatted} | {label} {note}',
      formatValue: (value, _options, type) =>
        type === 'total' ? formatBytes(value) : String(value),
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // Our own handler ends the upload first; it stops the bar on its way out.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(totalBytes, 0, { label, note: '' });
  return {
    update: (sentBytes) => bar.update(sentBytes, { note: '' }),
    note: (text) => bar.update({ note: text }),
    stop: () => bar.stop(),
  };
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
