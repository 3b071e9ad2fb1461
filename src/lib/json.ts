/** Maximum number of nested levels in an accepted JSON value: writing it back to text recurses once for each. */
export const JSON_LEVELS_MAX = 64;

/** Tells whether a JSON value has more than `JSON_LEVELS_MAX` levels of objects and arrays. */
export function isTooDeep(value: unknown): boolean {
  return !fits(value, JSON_LEVELS_MAX);
}

function fits(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((one) => fits(one, levels - 1));
}

/** A parser of V8 takes a quarter of a second for a megabyte of nested brackets. GraphQL nests documents up to 50. */
const NESTING_MAX = 100;
/**
 * Objects with more fields are slow to parse, to read and to describe in errors. No request has a list of more than some
 * hundred values.
 */
const VALUES_MAX = 10_000;

/**
 * Parses JSON that a client has sent. Throws SyntaxError if it is malformed, is nested deeper than 100 levels, or has
 * more than 10,000 values: its size alone does not bound the time that it takes.
 */
export function parseForeignJson(text: string): unknown {
  checkJsonShape(text);
  return JSON.parse(text);
}

/** Parses the JSON of a file, which some editors begin with a byte order mark. Throws SyntaxError if it is malformed. */
export function parseJsonFile(text: string): unknown {
  return JSON.parse(text.replace(/^\ufeff/, ''));
}

/** Throws SyntaxError if JSON exceeds the limits of `parseForeignJson`. Does not check its syntax. */
export function checkJsonShape(text: string): void {
  // Shorter texts are within the limits.
  if (text.length <= 2 * NESTING_MAX) return;
  let nesting = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COMMA:
        if (++values > VALUES_MAX)
          throw new SyntaxError(`JSON with more than ${VALUES_MAX} values`);
        break;
      case OPENING_BRACE:
      case OPENING_BRACKET:
        if (++nesting > NESTING_MAX)
          throw new SyntaxError(`JSON nested deeper than ${NESTING_MAX} levels`);
        break;
      case CLOSING_BRACE:
      case CLOSING_BRACKET:
        nesting--;
    }
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Returns the place of the quote that ends a string; the end of the text if none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
