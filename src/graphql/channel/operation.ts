import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createContext, type Services } from '../../domain/context.ts';
import { urlMaker } from '../../http/absolute-url.ts';
import type { TakeSlot } from '../../http/slot.ts';
import { maskError, type OperationContext } from '../pipeline/mask.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Result } from '../pipeline/run.ts';
import type { WatchViewer } from '../pipeline/stream-credential.ts';

/** The parts of the server that operations need which share one connection. */
export interface ChannelParts {
  server: FastifyInstance;
  services: Services;
  publicUrl: string | null;
  run: Pipeline['run'];
  takeStreamSlot: TakeSlot;
  /** Takes a slot for a connection, which may hold many subscriptions. */
  takeConnectionSlot: TakeSlot;
  watchViewer: WatchViewer;
}

/** The sender of an operation: a request, or a connection with the viewer of its own credential. */
export type Sender = Pick<
  FastifyRequest,
  'id' | 'log' | 'viewer' | 'client' | 'calledAs' | 'headers'
>;

/** An operation of a connection. */
export interface ChannelOperation {
  sender: Sender;
  method: 'GET' | 'POST';
  /** As the client has sent it. */
  body: unknown;
  /** Aborted when the operation ends, in whatever way. */
  signal: AbortSignal;
  /** Throws NotAuthenticatedError if the credential is no longer valid. */
  checkViewer: () => Promise<void>;
  /** Whether the connection watches the credential itself. */
  isWatched: boolean;
}

/** Runs an operation whose result is sent on a connection. Returns every error as a result. */
export async function runOnChannel(
  parts: ChannelParts,
  operation: ChannelOperation,
): Promise<Result> {
  const { sender, method, body } = operation;
  try {
    await parts.services.pending.refresh();
    return await parts.run(method, body, contextOf(parts, operation));
  } catch (error) {
    return { errors: [maskError(error, sender.log, sender.id)] };
  }
}

function contextOf(
  { services, publicUrl, takeStreamSlot, watchViewer }: ChannelParts,
  { sender, signal, checkViewer, isWatched }: ChannelOperation,
): OperationContext {
  const { id, viewer, client, log } = sender;
  const domain = createContext(services, { viewer, client, log, getSignal: () => signal });
  return {
    requestId: id,
    domain,
    takeStreamSlot: () => onAbort(signal, takeStreamSlot(domain)),
    toUrl: urlMaker(publicUrl, sender),
    // Headers of the response have been sent. The error that a mutation returns says the same.
    onRefused: () => undefined,
    setHeader: () => undefined,
    checkViewer,
    watchViewer: (onInvalid) =>
      isWatched ? () => undefined : watchViewer({ check: checkViewer, onInvalid }),
    signal: () => signal,
    made: new Map(),
  };
}

function onAbort(signal: AbortSignal, call: () => void): void {
  if (signal.aborted) call();
  else signal.addEventListener('abort', call, { once: true });
}
