import { type DestinationStream, type Logger, pino, type SerializedError } from 'pino';
import { toReadableLine } from './log-line.ts';

/**
 * One for all logs of the process. Writes several lines at once: a system call for each line takes a tenth of the
 * time of a request. Only a process that is killed loses lines, those of the last 100 ms.
 */
const standardOutput = pino.destination({ minLength: 4096, periodicFlush: 100, sync: true });
process.on('exit', () => standardOutput.flushSync());

const terminal = { write: (line: string) => standardOutput.write(toReadableLine(line)) };

/**
 * Creates a log on the standard output: of lines for people if that is a terminal, otherwise of JSON lines. `mixin` returns
 * further fields of each line.
 */
export function createLog(level: string, mixin?: () => object): Logger {
  return createLogTo(process.stdout.isTTY ? terminal : standardOutput, level, mixin);
}

/** Creates a log of JSON lines. */
export function createLogTo(
  stream: DestinationStream,
  level: string,
  mixin?: () => object,
): Logger {
  return pino({ level, serializers: { err: toLoggedError }, ...(mixin && { mixin }) }, stream);
}

const CAUSES_MAX = 10;

/** Returns an error as pino logs it, without the messages that it repeats of its causes. */
function toLoggedError(error: Error): SerializedError {
  const logged = pino.stdSerializers.err(error);
  const messages = new Set<string>();
  for (
    let cause: unknown = error, count = 0;
    cause instanceof Error && count < CAUSES_MAX;
    cause = cause.cause, count++
  ) {
    messages.add(cause.message);
  }
  if (messages.size > 0) logged.message = [...messages].join(': ');
  return logged;
}
