import { GraphQLUpload } from 'graphql-upload-minimal';
import { createGraphQLError } from 'graphql-yoga';
import { builder } from './builder.ts';

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

builder.scalarType('DateTime', {
  description: 'A moment: ISO 8601, UTC, with milliseconds, `2026-11-21T09:30:00.000Z`.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const date =
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : null;
    if (date !== null && !Number.isNaN(date.getTime())) return date;
    throw invalid('DateTime', 'an ISO 8601 date and time');
  },
});

builder.scalarType('UUID', {
  description: 'A UUID: 32 hexadecimal digits in five groups, in lower case.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
    throw invalid('UUID', 'a UUID');
  },
});

builder.scalarType('URL', {
  description: 'An absolute URL, percent-encoded.',
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
