// A process that renders images of which nobody waits for. It ends with its parent, which closes the channel between them.
import { ignoreSignals, lowerPriority } from './low-priority.ts';
import { answer, type Request } from './render-work.ts';

lowerPriority();
ignoreSignals();
process.on('message', async (request: Request) => {
  // Nobody waits for the answer if the parent has died meanwhile.
  const message = await answer(request);
  if (process.connected) process.send?.(message, () => undefined);
});
