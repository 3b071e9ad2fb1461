import cliProgress from 'cli-progress';
import { formatBytes, printable } from './output.ts';

/** Shows the progress of a command over all of its files. */
export interface ProgressBar {
  /** Shows that the transfer of a file begins. */
  begin(name: string, sizeBytes: number): void;
  /** Shows the bytes of the current file so far. */
  update(bytes: number): void;
  /** Counts the current file as done, whatever its bytes were. */
  end(): void;
  /** Shows a note beside the bar until the next update. */
  note(text: string): void;
  /** Runs `print`, which writes to the terminal, without the bar. */
  above(print: () => void): void;
  /** Removes the bar. */
  stop(): void;
}

const SILENT: ProgressBar = {
  begin: () => {},
  update: () => {},
  end: () => {},
  note: () => {},
  above: (print) => print(),
  stop: () => {},
};

/** Shows a bar on stderr, so that stdout holds only results; shows none if stderr is not a terminal. */
export function startProgressBar(fileCount: number, totalBytes: number): ProgressBar {
  if (!process.stderr.isTTY) return SILENT;
  const bar = createBar();
  const state = { at: 0, doneBytes: 0, sizeBytes: 0 };
  const start = () => bar.start(totalBytes, state.doneBytes, { label: '', note: '' });
  start();
  return {
    begin(name, sizeBytes) {
      Object.assign(state, { at: state.at + 1, sizeBytes });
      bar.update({ label: `${printable(name)} (${state.at}/${fileCount})`, note: '' });
    },
    update: (bytes) => bar.update(state.doneBytes + bytes, { note: '' }),
    end() {
      state.doneBytes += state.sizeBytes;
      bar.update(state.doneBytes);
    },
    note: (text) => bar.update({ note: text }),
    above(print) {
      bar.stop();
      print();
      start();
    },
    stop: () => bar.stop(),
  };
}

function createBar(): cliProgress.SingleBar {
  return new cliProgress.SingleBar(
    {
      format: '{bar} {percentage}% of {total} | {eta_formatted} | {label} {note}',
      formatValue: (value, _options, type) =>
        type === 'total' ? formatBytes(value) : String(value),
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // Our own signal handler ends the transfer first, and that stops the bar.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
}
