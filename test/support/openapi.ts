import { createRequire } from 'node:module';
import type { Ajv2020 as Ajv } from 'ajv/dist/2020.js';

// CommonJS whose types claim a default export.
const require = createRequire(import.meta.url);
const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: typeof Ajv };
const addFormats = require('ajv-formats') as (ajv: Ajv) => void;

/** As much of an OpenAPI document as is read here. */
export interface OpenApiDocument {
  servers: { url: string }[];
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, object> };
}

export interface OpenApiOperation {
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** An answer as a client got it. */
export interface SeenAnswer {
  method: string;
  url: string;
  status: number;
  contentType: string | null;
  /** Parsed, where it is JSON; '' for none. */
  body: unknown;
}

/** What is known of the answers of a server, by its own document. */
export interface AnswerCheck {
  /** What an answer has that the document does not say; empty: nothing. */
  problemsOf: (answer: SeenAnswer) => string[];
  /** Operations and statuses that have been seen so far: `getTag 200`. */
  seen: Set<string>;
}

/** Holds answers against a document. Its schemas are compiled strictly: a misspelt keyword throws. */
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

/** What no operation answers is a 404 of a path or a 405 of a method, or a credential that is not good. */
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
  // As the router: a path without parameters is stronger.
  const names = Object.keys(paths).filter(fits);
  const name = names.find((name) => !name.includes('{')) ?? names[0];
  return path.startsWith(base) && name !== undefined ? paths[name] : undefined;
}

function absolute(schema: object): object {
  const text = JSON.stringify(schema);
  return JSON.parse(text.replaceAll('"#/components/schemas/', '"document#/$defs/')) as object;
}

/** Reads the document of a dialect. */
export async function loadDocument(url: string): Promise<OpenApiDocument> {
  return (await (await fetch(url)).json()) as OpenApiDocument;
}
