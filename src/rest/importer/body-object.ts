import type { FastifyRequest } from 'fastify';
import { bodyType, hasBody, parseJson, readBytes, UnsupportedBodyError } from '../../http/body.ts';
import { parseTime } from '../../lib/time.ts';
import { JSON_API } from './negotiation.ts';
import { ProblemError, suggestion } from './problem.ts';

/** An object in a body, and the pointer to it: `/data/attributes`. */
export interface BodyObject {
  values: Readonly<Record<string, unknown>>;
  pointer: string;
}

/** Escapes one step of a pointer: RFC 6901 §3. */
export function escapePointer(step: string | number): string {
  return String(step).replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * Reads the body of a request, which must be an object. Throws UnsupportedBodyError,
 * MalformedBodyError, ProblemError.
 */
export async function readObject(request: FastifyRequest): Promise<BodyObject> {
  const { headers } = request.raw;
  if (!hasBody(headers)) throw invalid('', 'REQUIRED', 'The request must have a body.');
  if (![JSON_API, 'application/json'].includes(bodyType(headers))) {
    throw new UnsupportedBodyError(headers['content-type'] ?? '');
  }
  return toObject(parseJson(await readBytes(request.raw)), '');
}

/** Returns the object under a name. Throws ProblemError. */
export function memberOf({ values, pointer }: BodyObject, name: string): BodyObject {
  return toObject(values[name], `${pointer}/${name}`);
}

/** Returns a value as an object. Throws ProblemError for any other value. */
export function toObject(value: unknown, pointer: string): BodyObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { values: value as Record<string, unknown>, pointer };
  }
  const code = value === undefined ? 'REQUIRED' : 'INVALID_TYPE';
  throw invalid(pointer, code, 'Expected an object.');
}

/** Returns null. Throws ProblemError if the object has members of other names. */
export function checkNames({ values, pointer }: BodyObject, known: readonly string[]): null {
  const others = Object.keys(values).filter((name) => !known.includes(name));
  if (others.length === 0) return null;
  throw new ProblemError(
    others.map((name) => ({
      status: 422,
      code: 'unknown_member',
      detail: `"${name}" cannot be set${suggestion(name, known)}`,
      source: { pointer: `${pointer}/${escapePointer(name)}` },
    })),
  );
}

/** Returns a value that must be present. Throws ProblemError. */
export function required<T>({ pointer }: BodyObject, name: string, value: T | undefined): T {
  if (value === undefined) throw invalid(`${pointer}/${name}`, 'REQUIRED', 'It is required.');
  return value;
}

function read<T>(
  { values, pointer }: BodyObject,
  name: string,
  expected: string,
  parse: (value: unknown) => T | null,
): T | undefined {
  const value = values[name] ?? undefined;
  if (value === undefined) return undefined;
  const parsed = parse(value);
  if (parsed === null) throw invalid(`${pointer}/${name}`, 'INVALID_TYPE', `Expected ${expected}.`);
  return parsed;
}

/**
 * Reads text. Like the readers below, returns undefined if the member is null or absent, and throws
 * ProblemError for any other value.
 */
export function text(body: BodyObject, name: string): string | undefined {
  return read(body, name, 'text', (value) => (typeof value === 'string' ? value : null));
}

/** Reads an integer. */
export function integer(body: BodyObject, name: string): number | undefined {
  return read(body, name, 'an integer', (value) =>
    Number.isSafeInteger(value) ? Number(value) : null,
  );
}

/** Reads a number of seconds. */
export function seconds(body: BodyObject, name: string): number | undefined {
  return read(body, name, 'seconds', (value) =>
    typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : null,
  );
}

/** Reads a date, or a date and time, of ISO 8601. */
export function time(body: BodyObject, name: string): Date | undefined {
  return read(body, name, 'a date or a time of ISO 8601', (value) => {
    const ms = typeof value === 'string' ? parseTime(value) : null;
    return ms === null ? null : new Date(ms);
  });
}

/** Returns a problem with a member of the body: 422. */
export function invalid(pointer: string, code: string, detail: string): ProblemError {
  return ProblemError.of(422, code.toLowerCase(), detail, { pointer });
}
