// A process that reads. It ends with its parent, which closes the channel between them.
import { openConnection } from './connection.ts';
import { answer, type Request } from './serve.ts';
import { Performer } from './work.ts';

/** Only another process that opens the database blocks a reader, and not for long. */
const BUSY_TIMEOUT_MS = 1000;

const connection = openConnection(process.argv[2] ?? '', {
  access: 'readonly',
  busyTimeoutMs: BUSY_TIMEOUT_MS,
});
const performer = new Performer(connection);
// Ignores the signals that a terminal sends to the whole process group: the parent needs its readers while it finishes
// its requests.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, ignore);
process.on('message', (request: Request) => {
  // Nobody waits for the answer if the parent has died meanwhile.
  process.send?.(answer(performer, request), ignore);
});
process.once('disconnect', () => connection.close());

function ignore(): void {}
