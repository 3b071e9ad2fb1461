import { type Logger, pino } from 'pino';
import { toReadableLine } from './log-line.ts';

/**
 * One for all logs of the process. Writes several lines at once: a system call for each line takes a tenth of the
 * time of a request. Only a process that is killed loses lines, those of the last 100 ms.
 */
const standardOutput = pino.destination({ minLength: 4096, periodicFlush: 100, sync: true });
process.on('exit', () => standardOutput.flushSync());

const terminal = { write: (line: string) => standardOutput.write(toReadableLine(line)) };

/** Creates a log on the standard output: of lines for people if that is a terminal, otherwise of JSON lines. */
export function createLog(level: string): Logger {
  return pino({ level }, process.stdout.isTTY ? terminal : standardOutput);
}
