import { GraphQLError } from 'graphql';
import { GraphQLUpload } from 'graphql-upload-minimal';
import { parseTime, toIsoTime } from '../lib/time.ts';
import { parseUuidOrDigits } from '../lib/uuid.ts';
import { builder } from './builder.ts';

builder.scalarType('DateTime', {
  description:
    'A date and time in ISO 8601. Output is in UTC with milliseconds, as in `2026-11-21T09:30:00.000Z`. Input may have any UTC offset; without one, it is read as UTC.',
  serialize: toIsoTime,
  parseValue: parser('DateTime', 'an ISO 8601 date and time', (value) => {
    const ms = typeof value === 'string' && value[10] === 'T' ? parseTime(value) : null;
    return ms === null ? null : new Date(ms);
  }),
});

builder.scalarType('UUID', {
  description:
    'A UUID: 32 hex digits. Output is in lower case, in five groups separated by hyphens. Input may be in upper case and without hyphens.',
  serialize: (value) => value,
  parseValue: parser('UUID', 'a UUID', (value) =>
    typeof value === 'string' ? parseUuidOrDigits(value) : null,
  ),
});

builder.scalarType('URL', {
  description:
    'An absolute URL. The URL of a stored file is percent-encoded; the URL of a link is stored as given.',
  serialize: (value) => value,
  parseValue: parser('URL', 'an absolute URL', (value) =>
    typeof value === 'string' && URL.canParse(value) ? value : null,
  ),
});

builder.scalarType('BigInt', {
  description:
    'An integer from 0 to 2^53 - 1, as a JSON number. Used for sizes and offsets in bytes.',
  serialize: (value) => value,
  parseValue: parser('BigInt', 'an integer from 0 to 2^53 - 1', (value) => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    return Number.isSafeInteger(number) && Number(number) >= 0 ? Number(number) : null;
  }),
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
});

builder.addScalarType('Upload', GraphQLUpload, {
  description:
    'A file in a multipart request: see https://github.com/jaydenseric/graphql-multipart-request-spec. The request must also have the header `x-graphql-yoga-csrf` or `apollo-require-preflight`.',
});

/** Returns a function that parses a value of the scalar, and throws if `parse` returns null. */
function parser<Value>(scalar: string, expected: string, parse: (value: unknown) => Value | null) {
  return (value: unknown): Value => {
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    throw new GraphQLError(`Invalid ${scalar}: expected ${expected}.`);
  };
}
