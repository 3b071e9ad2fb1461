import { GraphQLUpload } from 'graphql-upload-minimal';
import { createGraphQLError } from 'graphql-yoga';
import { parseTime } from '../lib/time.ts';
import { parseUuidOrDigits } from '../lib/uuid.ts';
import { builder } from './builder.ts';

builder.scalarType('DateTime', {
  description:
    'A moment: ISO 8601, UTC, with milliseconds, `2026-11-21T09:30:00.000Z`. Taken with any offset, and without one as UTC.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const ms = typeof value === 'string' && value[10] === 'T' ? parseTime(value) : null;
    if (ms !== null) return new Date(ms);
    throw invalid('DateTime', 'an ISO 8601 date and time');
  },
});

builder.scalarType('UUID', {
  description: 'A UUID: 32 hexadecimal digits in five groups, in lower case.',
  serialize: (value) => value,
  parseValue: (value) => {
    const uuid = typeof value === 'string' ? parseUuidOrDigits(value) : null;
    if (uuid !== null) return uuid;
    throw invalid('UUID', 'a UUID');
  },
});

builder.scalarType('URL', {
  description:
    'An absolute URL: percent-encoded that of a stored file, as it was given that of a link.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value === 'string' && URL.canParse(value)) return value;
    throw invalid('URL', 'an absolute URL');
  },
});

builder.scalarType('BigInt', {
  description: 'A whole number from 0 to 2^53 - 1, as a JSON number: a size in bytes, an offset.',
  serialize: (value) => value,
  parseValue: (value) => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (Number.isSafeInteger(number) && Number(number) >= 0) return Number(number);
    throw invalid('BigInt', 'a whole number from 0 to 2^53 - 1');
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
});

builder.addScalarType('Upload', GraphQLUpload, {
  description:
    'A file of a multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec), which also needs a header `x-graphql-yoga-csrf` or `apollo-require-preflight`.',
});

function invalid(scalar: string, expected: string) {
  return createGraphQLError(`Expected ${expected} for ${scalar}.`);
}
