import { type Message, MessageType, validateMessage } from 'graphql-ws';
import { parseForeignJson } from '../../lib/json.ts';

/** Thrown for a message that violates the protocol. Its message fits into a close frame. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';

  constructor(reason: string) {
    super(toReason(`Invalid message received: ${reason}`));
  }
}

/** Returns the message; null stands for one that is not text. Throws InvalidMessageError. */
export function parseMessage(text: string | null): Message {
  if (text === null) throw new InvalidMessageError('expected text');
  try {
    return validateMessage(withQuery(parseForeignJson(text)));
  } catch (error) {
    throw new InvalidMessageError((error as Error).message);
  }
}

/**
 * Returns the message with an empty document if an id names the document: the protocol requires a text, but clients with
 * persisted documents send null, as Relay does, or nothing.
 */
function withQuery(message: unknown): unknown {
  if (!isObject(message) || message.type !== MessageType.Subscribe) return message;
  const { payload } = message;
  if (!isObject(payload) || !isNullish(payload.query)) return message;
  const { documentId, id, doc_id, extensions } = payload;
  const hash = isObject(extensions) ? extensions.persistedQuery : undefined;
  const isNamed = ![documentId, id, doc_id, hash].every(isNullish);
  return isNamed ? { ...message, payload: { ...payload, query: '' } } : message;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isNullish(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Maximum length of the reason in a close frame (RFC 6455 §5.5). */
const REASON_BYTES_MAX = 123;

/** Returns the text, or as much of it as a close frame can hold. */
function toReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= REASON_BYTES_MAX) return text;
  // The end may be a part of a character.
  return new TextDecoder().decode(bytes.subarray(0, REASON_BYTES_MAX), { stream: true });
}
