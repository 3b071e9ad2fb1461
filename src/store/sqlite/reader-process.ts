// `reader-process.ts <file> <id of the parent>`: a process that reads. It ends with its parent, which closes the channel
// between them.
import { type Connection, openConnection } from './connection.ts';
import { answer, type Request } from './serve.ts';
import { Performer } from './work.ts';

/** Only another process that opens the database blocks a reader, and not for long. */
const BUSY_TIMEOUT_MS = 1000;

const [path = '', parentId = ''] = process.argv.slice(2);
// Ignores the signals that a terminal sends to the whole process group: the parent needs its readers while it finishes
// its requests.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, ignore);
const connection = open();
if (connection !== null) serve(connection);

/** Returns null if the parent has died meanwhile: nobody waits for the file then, and it may be gone too. */
function open(): Connection | null {
  try {
    return openConnection(path, { access: 'readonly', busyTimeoutMs: BUSY_TIMEOUT_MS });
  } catch (error) {
    if (process.ppid !== Number(parentId)) return null;
    throw error;
  }
}

function serve(connection: Connection): void {
  const performer = new Performer(connection);
  process.on('message', (request: Request) => {
    // Nobody waits for the answer if the parent has died meanwhile.
    process.send?.(answer(performer, request), ignore);
  });
  process.once('disconnect', () => connection.close());
}

function ignore(): void {}
