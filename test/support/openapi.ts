import { createRequire } from 'node:module';
import type { Ajv2020 as Ajv } from 'ajv/dist/2020.js';

// These packages are CommonJS, and their types wrongly claim a default export.
const require = createRequire(import.meta.url);
const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: typeof Ajv };
const addFormats = require('ajv-formats') as (ajv: Ajv) => void;

/** The parts of an OpenAPI document that the check reads. */
export interface OpenApiDocument {
  servers: { url: string }[];
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, object> };
}

/** The parts of an operation that the check reads. */
export interface OpenApiOperation {
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** A response as the client received it. */
export interface SeenAnswer {
  method: string;
  url: string;
  status: number;
  contentType: string | null;
  /** The parsed body if it is JSON; '' if it is empty. */
  body: unknown;
}

/** A check of a server's responses against its own document. */
export interface AnswerCheck {
  /** Returns the differences between a response and the document; empty if it conforms. */
  problemsOf: (answer: SeenAnswer) => string[];
  /** Operations and statuses seen so far, such as `getTag 200`. */
  seen: Set<string>;
}

/** Creates a check against a document. Compiles its schemas strictly: throws on a misspelt keyword. */
export function createAnswerCheck(document: OpenApiDocument): AnswerCheck {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  addFormats(ajv);
  const $defs = absolute(document.components.schemas);
  ajv.addSchema({ $id: 'document', $defs });
  const seen = new Set<string>();
  const validators = new Map<string, ReturnType<Ajv['compile']>>();
  const problemsOf = (answer: SeenAnswer): string[] => {
    const item = findPath(document, answer.url);
    const operation = item?.[answer.method.toLowerCase()];
    if (operation === undefined) return problemsOfRefusal(answer, item);
    const response = operation.responses[answer.status];
    const name = `${operation.operationId} ${answer.status}`;
    if (response === undefined) return [`${name} is not in the document`];
    seen.add(name);
    if (response.content === undefined) {
      return answer.body === '' || answer.body === null ? [] : [`${name} has a body`];
    }
    const type = answer.contentType?.split(';', 1)[0] ?? '';
    const schema = response.content[type]?.schema;
    if (schema === undefined) return [`${name} is of type "${type}"`];
    const key = JSON.stringify(schema);
    const validate = validators.get(key) ?? ajv.compile(absolute(schema));
    validators.set(key, validate);
    return validate(answer.body) ? [] : [`${name}: ${ajv.errorsText(validate.errors)}`];
  };
  for (const schema of Object.values(document.components.schemas)) ajv.compile(absolute(schema));
  return { problemsOf, seen };
}

/** Expects 404 for an unknown path, 405 for an unknown method, and 401 for an invalid credential. */
function problemsOfRefusal({ method, url, status }: SeenAnswer, item: object | undefined) {
  const expected = item === undefined ? [401, 404] : [401, 405];
  return expected.includes(status) ? [] : [`${method} ${url} is not in the document: ${status}`];
}

function findPath({ servers, paths }: OpenApiDocument, url: string) {
  const base = new URL(servers[0]!.url).pathname;
  const path = new URL(url, 'http://x').pathname.replace(/\/?$/, '/');
  const rest = path.slice(base.length);
  const fits = (template: string) =>
    new RegExp(`^${template.replace(/\/?$/, '/').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(rest);
  // As in the router, a path without parameters takes precedence.
  const names = Object.keys(paths).filter(fits);
  const name = names.find((name) => !name.includes('{')) ?? names[0];
  return path.startsWith(base) && name !== undefined ? paths[name] : undefined;
}

function absolute(schema: object): object {
  const text = JSON.stringify(schema);
  return JSON.parse(text.replaceAll('"#/components/schemas/', '"document#/$defs/')) as object;
}

/** Fetches the OpenAPI document of a dialect. */
export async function loadDocument(url: string): Promise<OpenApiDocument> {
  return (await (await fetch(url)).json()) as OpenApiDocument;
}
