import { isResults, type Result } from '../pipeline/run.ts';
import { resultToJson } from '../pipeline/wire.ts';

/** Sends the messages of operations on one connection. */
export interface Channel {
  /** Sends a result. Resolves when the connection has taken it, so that a slow client slows its operations down. */
  next(id: string, result: string): Promise<void>;
  /** Sends the end of an operation. */
  complete(id: string): Promise<void>;
  /** Ends the connection, because a subscription has failed: its client subscribes again. */
  fail(error: unknown): void;
}

/** An operation that is running on a connection. */
export interface RunningOperation {
  /** Chosen by the client. */
  id: string;
  /** Aborted when the operation ends. */
  signal: AbortSignal;
  end(): void;
}

/** The operations that share one connection. */
export interface Operations {
  has(id: string): boolean;
  /** Number of operations that are running. */
  count(): number;
  /** Begins an operation. The connection must have none with this id. */
  begin(id: string): RunningOperation;
  /** Ends an operation without a further message, as its client wishes. */
  stop(id: string): void;
  /** Sends all results of an operation, then ends it. Never rejects. */
  deliver(operation: RunningOperation, result: Result): Promise<void>;
}

/** Creates the operations of a connection. All of them end when `connection` aborts. */
export function createOperations(channel: Channel, connection: AbortSignal): Operations {
  const running = new Map<string, RunningOperation>();
  connection.addEventListener('abort', () => {
    for (const operation of [...running.values()]) operation.end();
  });
  return {
    has: (id) => running.has(id),
    count: () => running.size,
    begin(id) {
      const controller = new AbortController();
      const operation: RunningOperation = {
        id,
        signal: controller.signal,
        end() {
          // Its client may have begun another one with the same id.
          if (running.get(id) === operation) running.delete(id);
          controller.abort();
        },
      };
      running.set(id, operation);
      if (connection.aborted) operation.end();
      return operation;
    },
    stop: (id) => running.get(id)?.end(),
    async deliver(operation, result) {
      try {
        await sendAll(channel, operation, result);
      } catch (error) {
        if (!operation.signal.aborted) channel.fail(error);
      } finally {
        operation.end();
      }
    },
  };
}

async function sendAll(
  channel: Channel,
  { id, signal }: RunningOperation,
  result: Result,
): Promise<void> {
  if (!isResults(result)) {
    if (signal.aborted) return;
    await channel.next(id, resultToJson(result));
  } else {
    for await (const one of result) {
      if (signal.aborted) return;
      await channel.next(id, resultToJson(one));
    }
  }
  if (!signal.aborted) await channel.complete(id);
}
