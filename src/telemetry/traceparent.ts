import type { SpanContext } from '@opentelemetry/api';

/** Version 00 of the header; a later version may have more fields. */
const PATTERN =
  /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Reads the header `traceparent` of W3C Trace Context. Returns null if it is absent or malformed. */
export function parseTraceparent(header: string | string[] | undefined): SpanContext | null {
  if (typeof header !== 'string') return null;
  const [, traceId, spanId, flags] = PATTERN.exec(header.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  // Of the flags, only the lowest bit is defined: the caller records its part of the trace.
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
