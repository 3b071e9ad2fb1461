/** JSON Schema 2020-12, the language of OpenAPI 3.1. */
export type Schema = Readonly<Record<string, unknown>>;

/** Any text. */
export const text = { type: 'string' };
/** Any text, or null. */
export const textOrNull = { type: ['string', 'null'] };
/** A whole number. */
export const integer = { type: 'integer' };
/** A whole number, or null. */
export const integerOrNull = { type: ['integer', 'null'] };
/** A boolean. */
export const flag = { type: 'boolean' };
/** A time in ISO 8601. */
export const date = { type: 'string', format: 'date-time' };
/** An absolute URL. */
export const address = { type: 'string', format: 'uri' };
/** A part of a multipart body. */
export const bytes = { type: 'string', contentMediaType: 'application/octet-stream' };
/** The id of an object of another system. */
export const idText = { type: ['string', 'integer'] };
/** An object with any properties. */
export const anyObject = { type: 'object' };

/** Returns the schema of an answer, which has exactly these properties. */
export function answerOf(properties: Record<string, Schema>): Schema {
  const required = Object.keys(properties);
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Returns the schema of a request. It may have other properties, which are ignored. */
export function requestOf(
  properties: Record<string, Schema>,
  required: readonly string[] = [],
): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}
