import cliProgress from 'cli-progress';
import { formatBytes } from '../../lib/byte-size.ts';

/** Shows the progress of one file. */
export interface ProgressBar {
  update(sentBytes: number): void;
  /** Shows a note beside the bar until the next update. */
  note(text: string): void;
  /** Removes the bar. */
  stop(): void;
}

const SILENT: ProgressBar = { update: () => {}, note: () => {}, stop: () => {} };

/** Shows a bar on stderr, so that stdout holds only results; shows none if stderr is not a terminal. */
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
      // Our own signal handler ends the upload first, and that stops the bar.
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
