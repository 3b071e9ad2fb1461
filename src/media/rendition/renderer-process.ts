// A process that renders images of which nobody waits for. It ends with its parent, which closes the channel between them.
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { answer, type Request } from './render-work.ts';

/**
 * On Linux, a process of this priority gets a tenth of a core that another one keeps busy: enough to make progress. At
 * 19, the lowest, it would be an eightieth, and a large image would take minutes.
 */
const PRIORITY = 10;

lowerPriority();
// Ignores the signals that a terminal sends to the whole process group: the parent ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, ignore);
process.on('message', async (request: Request) => {
  // Nobody waits for the answer if the parent has died meanwhile.
  const message = await answer(request);
  if (process.connected) process.send?.(message, ignore);
});

/** On Linux each thread has a priority of its own, which the threads that it starts inherit. */
function lowerPriority(): void {
  for (const thread of process.platform === 'linux' ? readdirSync('/proc/self/task') : [0]) {
    try {
      setPriority(Number(thread), PRIORITY);
    } catch {
      // A sandbox may forbid it, and the thread may have ended.
    }
  }
}

function ignore(): void {}
