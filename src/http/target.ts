import type { IncomingMessage } from 'node:http';

const origins = new WeakMap<IncomingMessage, string>();

/** Remembers the scheme and host of a target that is a whole URL. */
export function noteTargetOrigin(request: IncomingMessage, origin: string): void {
  origins.set(request, origin);
}

/**
 * What the client asked for, where it sent a whole URL as its target; null where it did not. RFC 9112 §3.2.2:
 * the `Host` header must then be ignored.
 */
export function targetOrigin(request: IncomingMessage): string | null {
  return origins.get(request) ?? null;
}
