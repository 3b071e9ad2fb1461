import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** The structure of a source file of the repository. */
export interface SourceFile {
  /** Path from the top of the repository, such as `src/lib/word.ts`. */
  path: string;
  text: string;
  lineCount: number;
  imports: Import[];
  functions: { name: string; lineCount: number }[];
  /** One doc comment may cover several exports that follow each other without an empty line. */
  exports: { name: string; isDocumented: boolean }[];
  /** Uses of members of `process`, such as `process.env`. */
  processUses: string[];
}

/** An import, a re-export, or the type of an import. */
export interface Import {
  /** A package, `node:…`, or the path of one of our files from the top of the repository. */
  target: string;
  isOurs: boolean;
  isTypeOnly: boolean;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

/** Reads every TypeScript file below a folder of the repository. */
export function readSources(folder: string): SourceFile[] {
  return (
    listFiles(folder)
      // The configuration of a tool has the name that the tool demands.
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.config.ts'))
      .map((path) => parseSource(path, readFileSync(path, 'utf8')))
  );
}

/** Returns the paths of all files below a folder, from the top of the repository. */
export function listFiles(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Parses one file. Throws if it is not TypeScript. */
export function parseSource(path: string, text: string): SourceFile {
  const program = parseAst(text, { lang: 'ts' }) as unknown as Node;
  const source: SourceFile = {
    path,
    text,
    lineCount: countLines(text),
    imports: [],
    functions: [],
    exports: toExports(text, program),
    processUses: [],
  };
  walk(program, null, (node, parent) => {
    const target = importTarget(node);
    if (target !== null) source.imports.push(toImport(path, target, node));
    if (isFunction(node)) source.functions.push(toFunction(text, node, parent));
    if (isProcessUse(node)) source.processUses.push(text.slice(node.start, node.end));
  });
  return source;
}

function walk(node: Node, parent: Node | null, visit: (node: Node, parent: Node | null) => void) {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, node, visit);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

const IMPORTS = [
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
];

function importTarget(node: Node): string | null {
  if (!IMPORTS.includes(node.type)) return null;
  const { source } = node as { source?: unknown };
  const isText = isNode(source) && typeof source.value === 'string';
  return isText ? String(source.value) : null;
}

function toImport(path: string, target: string, node: Node): Import {
  const isOurs = target.startsWith('.');
  return {
    target: isOurs ? posix.join(posix.dirname(path), target) : target,
    isOurs,
    isTypeOnly: node.type === 'TSImportType' || [node.importKind, node.exportKind].includes('type'),
  };
}

function isFunction({ type }: Node): boolean {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(type);
}

function toFunction(text: string, node: Node, parent: Node | null) {
  const named = [node.id, parent?.id, parent?.key].find(isNode);
  const name = named ? text.slice(named.start, named.end) : '(without a name)';
  return { name, lineCount: countLines(text.slice(node.start, node.end)) };
}

function toExports(text: string, program: Node): SourceFile['exports'] {
  let isDocumented = false;
  let end = 0;
  return (program.body as Node[]).filter(isDeclaringExport).map((node) => {
    const isAdjacent = /^;?\n$/.test(text.slice(end, node.start));
    isDocumented = endsInDocComment(text.slice(0, node.start)) || (isAdjacent && isDocumented);
    end = node.end;
    return { name: exportName(node.declaration as Node), isDocumented };
  });
}

/** Returns true for an export that declares its name. A re-exported name has its comment at its declaration. */
function isDeclaringExport({ type, declaration }: Node): boolean {
  return /^Export(Named|Default)Declaration$/.test(type) && isNode(declaration);
}

function exportName({ id, declarations }: Node): string {
  const named = Array.isArray(declarations) ? (declarations[0] as Node).id : id;
  return isNode(named) ? String(named.name) : 'default';
}

function endsInDocComment(before: string): boolean {
  const text = before.trimEnd();
  return text.endsWith('*/') && text.startsWith('/**', text.lastIndexOf('/*'));
}

function isProcessUse({ type, object }: Node): boolean {
  return type === 'MemberExpression' && isNode(object) && object.name === 'process';
}

function countLines(text: string): number {
  return text.trimEnd().split('\n').length;
}
