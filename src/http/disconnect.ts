import type { FastifyReply } from 'fastify';

/**
 * Returns a function that returns the signal of a request: it aborts when the client disconnects before it has the
 * whole response. The signal is created on first use, because most requests need none.
 */
export function disconnectSignal({ raw }: FastifyReply): () => AbortSignal {
  let signal: AbortSignal | undefined;
  return () => {
    signal ??= createSignal(raw);
    return signal;
  };
}

function createSignal(response: FastifyReply['raw']): AbortSignal {
  const controller = new AbortController();
  const close = () => {
    if (!response.writableFinished) controller.abort();
  };
  if (response.destroyed) close();
  else response.once('close', close);
  return controller.signal;
}
