import {
  CloseCode,
  type ConnectionInitMessage,
  type Message,
  MessageType,
  type SubscribeMessage,
} from 'graphql-ws';
import type { WebSocket } from 'ws';
import { NotAuthenticatedError } from '../../domain/error.ts';
import { isRetryable } from '../../http/status.ts';
import { type ChannelParts, runOnChannel, type Sender } from '../channel/operation.ts';
import { createOperations, type Operations, type RunningOperation } from '../channel/operations.ts';
import { maskError } from '../pipeline/mask.ts';
import { isRefused, isResults, type Result } from '../pipeline/run.ts';
import { errorsToJson } from '../pipeline/wire.ts';
import { InvalidMessageError, parseMessage } from './message.ts';

/** RFC 6455 §7.4.1 and the registry of codes. The client of graphql-ws connects again after each of these. */
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

/** Finds the viewer of a connection. Throws NotAuthenticatedError. */
type Identify = (payload: Readonly<Record<string, unknown>>) => Promise<Sender>;

/** What a connection is made of. */
export interface ConnectionOptions {
  socket: WebSocket;
  parts: ChannelParts;
  identify: Identify;
  /** Called when the client has sent `connection_init`. */
  onInit: () => void;
}

/**
 * A connection that speaks the protocol of graphql-ws
 * (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). The package's own server is not used: it runs any
 * number of operations at once, and would parse the JSON of each result.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #operations: Operations;
  readonly #over = new AbortController();
  #isInitialised = false;
  /** Null until the connection has been acknowledged. */
  #sender: Sender | null = null;
  #count = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const send = (type: MessageType, id: string, payload?: string) =>
      this.#send(toMessage(type, id, payload));
    const channel = {
      next: (id: string, result: string) => send(MessageType.Next, id, result),
      complete: (id: string) => send(MessageType.Complete, id),
      fail: (error: unknown) => this.#closeFor(error),
    };
    this.#operations = createOperations(channel, this.#over.signal);
  }

  /** Handles a message; null stands for one that is not text. Never rejects. */
  async receive(text: string | null): Promise<void> {
    try {
      await this.#handle(parseMessage(text));
    } catch (error) {
      this.#closeFor(error);
    }
  }

  /** The viewer, once it is known. */
  get sender(): Sender | null {
    return this.#sender;
  }

  /** Starts to close the connection. */
  close(code: number, reason: string): void {
    this.#options.socket.close(code, reason);
  }

  /** Ends everything that runs for the connection, which is closed. */
  end(): void {
    this.#over.abort();
  }

  async #handle(message: Message): Promise<void> {
    switch (message.type) {
      case MessageType.ConnectionInit:
        return this.#initialise(message);
      case MessageType.Ping: {
        const { payload } = message;
        return this.#send(JSON.stringify({ type: MessageType.Pong, ...(payload && { payload }) }));
      }
      case MessageType.Pong:
        return;
      case MessageType.Subscribe:
        return this.#subscribe(message);
      case MessageType.Complete:
        return this.#operations.stop(message.id);
      default:
        throw new InvalidMessageError(`a client cannot send "${message.type}"`);
    }
  }

  async #initialise({ payload }: ConnectionInitMessage): Promise<void> {
    if (this.#isInitialised) {
      return this.close(
        CloseCode.TooManyInitialisationRequests,
        'Too many initialisation requests',
      );
    }
    this.#isInitialised = true;
    this.#options.onInit();
    const sender = await this.#options.identify(payload ?? {});
    if (this.#over.signal.aborted) return;
    this.#hold(sender);
    this.#sender = sender;
    await this.#send(JSON.stringify({ type: MessageType.ConnectionAck }));
  }

  /** Takes a slot for the connection, and watches its credential, until it ends. Throws TooManyRequestsError. */
  #hold(sender: Sender): void {
    const { server, takeConnectionSlot, watchViewer } = this.#options.parts;
    const { signal } = this.#over;
    signal.addEventListener('abort', takeConnectionSlot(sender));
    const onInvalid = (error: unknown) => this.#closeFor(error);
    const unwatch = watchViewer({ check: () => server.checkViewer(sender), onInvalid });
    signal.addEventListener('abort', unwatch);
  }

  async #subscribe({ id, payload }: SubscribeMessage): Promise<void> {
    const sender = this.#sender;
    if (sender === null) return this.close(CloseCode.Unauthorized, 'Unauthorized');
    if (this.#operations.has(id)) {
      return this.close(CloseCode.SubscriberAlreadyExists, 'Subscriber already exists');
    }
    const operation = this.#operations.begin(id);
    const result = await this.#run(sender, payload, operation);
    if (isRefused(result)) {
      const errors = errorsToJson(result.errors);
      if (!operation.signal.aborted) await this.#send(toMessage(MessageType.Error, id, errors));
      return operation.end();
    }
    const delivered = this.#operations.deliver(operation, result);
    // Other messages must not wait for the end of a subscription.
    if (!isResults(result)) await delivered;
  }

  async #run(
    { ...sender }: Sender,
    payload: SubscribeMessage['payload'],
    { signal }: RunningOperation,
  ): Promise<Result> {
    this.#count += 1;
    sender.id = `${sender.id}-${this.#count}`;
    const { parts } = this.#options;
    const checkViewer = () => this.#checkViewer(sender);
    try {
      await parts.server.countOperation(sender);
      await checkViewer();
    } catch (error) {
      return { errors: [maskError(error, sender.log, sender.id)] };
    }
    const body = toParameters(payload);
    return runOnChannel(parts, {
      ...{ sender, body, signal, checkViewer, method: 'POST' as const },
      isWatched: true,
    });
  }

  async #checkViewer(sender: Sender): Promise<void> {
    try {
      await this.#options.parts.server.checkViewer(sender);
    } catch (error) {
      if (error instanceof NotAuthenticatedError) this.#closeFor(error);
      throw error;
    }
  }

  /** Resolves when the system has taken the message. */
  #send(message: string): Promise<void> {
    const { socket } = this.#options;
    return new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      socket.send(message, (error) => (error ? reject(error) : resolve()));
    });
  }

  #closeFor(error: unknown): void {
    const { socket, parts } = this.#options;
    if (socket.readyState !== socket.OPEN) return;
    if (error instanceof NotAuthenticatedError) {
      this.close(CloseCode.Forbidden, 'Forbidden: the credential is not valid');
    } else if (error instanceof InvalidMessageError) {
      this.close(CloseCode.BadRequest, error.message);
    } else if (error instanceof CookieRefusedError) {
      this.close(CloseCode.Forbidden, error.message);
    } else if (isRetryable(error)) {
      this.close(TRY_AGAIN_LATER, error.code);
    } else {
      parts.server.log.error({ err: error }, 'a WebSocket failed');
      this.close(INTERNAL_ERROR, 'Internal server error');
    }
  }
}

/** The page that has opened the connection may not use the cookie of its user. */
export class CookieRefusedError extends Error {
  override readonly name = 'CookieRefusedError';

  constructor() {
    super('Forbidden: pages of this origin may not use the cookie');
  }
}

function toMessage(type: MessageType, id: string, payload?: string): string {
  const rest = payload === undefined ? '' : `,"payload":${payload}`;
  return `{"id":${JSON.stringify(id)},"type":"${type}"${rest}}`;
}

/** Returns the parameters of an operation: some clients send more, for themselves. */
function toParameters(payload: object): object {
  const { query, operationName, variables, extensions, documentId, id, doc_id } = payload as Record<
    string,
    unknown
  >;
  return { query, operationName, variables, extensions, documentId, id, doc_id };
}
