import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Import,
  listFiles,
  parseSource,
  readSources,
  type SourceFile,
} from './support/source.ts';

/** The layers, or single rooms, that the files of each layer may import. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  store: ['lib'],
  blob: ['lib'],
  media: ['lib'],
  outbound: ['lib'],
  domain: ['store', 'blob', 'media', 'outbound', 'lib'],
  job: ['domain', 'outbound', 'store/job', 'lib'],
  http: ['domain', 'lib'],
  graphql: ['http', 'domain', 'lib'],
  rest: ['http', 'domain', 'lib'],
  telemetry: ['http', 'domain', 'store', 'blob', 'lib'],
  client: [],
  cli: ['client', 'lib'],
};

/** The roots, which assemble the layers. They may import anything; no layer may import them. */
const ROOTS = ['main', 'start'];

/** The rooms of `domain` and of `store`, in order. Each may import the rooms before it. */
const ROOMS = [
  'viewer',
  'event',
  'job',
  'tag',
  'tree',
  'placement',
  'trash',
  'bulk',
  'location',
  'file',
  'fsck',
  'backup',
  'rendition',
  'upload',
  'copy',
  'relocation',
];

/** Folders that hold rooms, beside the layers themselves. */
const PARTS =
  /^src\/(rest\/[a-z]+|graphql\/[a-z]+|job\/task|start\/cluster|store\/(migration|sqlite|postgres)|blob\/s3|media\/preview(\/[a-z]+)?|[a-z]+)\//;

/** Layers that know no feature, so their files may have any name. */
const FREE_NAMES = /^src\/(lib|blob|media|outbound|telemetry|store\/migration)\//;

/** Other nouns of a room in the names of files. */
const NOUNS: Readonly<Record<string, RegExp>> = {
  viewer: /^(user|key|token|auth|password)$/,
  tree: /^(folder|media|link)$/,
  rendition: /^thumbnail$/,
  upload: /^chunk(ed)?$/,
};

/**
 * The layers that may import a package; those in `types` may import only its types. No layer may import an
 * unlisted package.
 */
const PACKAGES: readonly { name: RegExp; layers: string[]; types?: string[] }[] = [
  { name: /^(kysely|pg|better-sqlite3)$/, layers: ['store'] },
  { name: /^(sharp|file-type|thumbhash)$/, layers: ['media'] },
  {
    name: /^(exifreader|jxl-oxide-wasm|mediabunny|music-metadata|@hyzyla\/pdfium)$/,
    layers: ['media'],
  },
  { name: /^hash-wasm$/, layers: ['domain'] },
  { name: /^zod$/, layers: ['domain', 'start'] },
  {
    name: /^(fastify|@fastify\/.+|rate-limiter-flexible)$/,
    layers: ['http'],
    types: ['start', 'graphql', 'rest', 'telemetry'],
  },
  { name: /^jose$/, layers: ['http'] },
  { name: /^yazl$/, layers: ['rest'] },
  { name: /^lru-cache$/, layers: ['blob', 'store', 'http', 'graphql'] },
  { name: /^(ipaddr\.js|html-encoding-sniffer)$/, layers: ['outbound'] },
  { name: /^(undici|htmlparser2)$/, layers: ['outbound', 'blob'] },
  { name: /^aws4fetch$/, layers: ['blob'] },
  { name: /^(graphql|graphql-yoga|dataloader|graphql-upload-minimal)$/, layers: ['graphql'] },
  { name: /^(ws|graphql-ws)$/, layers: ['graphql'] },
  { name: /^(@pothos\/.+|@graphql-yoga\/render-graphiql(\/.+)?)$/, layers: ['graphql'] },
  { name: /^spark-md5$/, layers: ['client'] },
  { name: /^cli-progress$/, layers: ['cli'] },
  { name: /^commander$/, layers: ['cli', 'start'] },
  { name: /^(prom-client|@opentelemetry\/.+)$/, layers: ['telemetry'] },
  { name: /^pino$/, layers: ['start'] },
];

const FILE_LINES_MAX = 300;
const TEST_FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const FOLDER_FILES_MAX = 25;

const SOURCES = readSources('src');
/** Sources written by hand. */
const WRITTEN = SOURCES.filter(isWritten);
const ALL = ['src', 'test', 'bench'].filter((folder) => existsSync(folder)).flatMap(readSources);

describe('imports', () => {
  it('every folder of src is a layer, and every file directly in src is a root', () => {
    const unknown = SOURCES.filter(({ path }) => !(layerOf(path) in LAYERS) && !isRoot(path));
    expect(unknown.map(({ path }) => path)).toEqual([]);
  });

  it('go only to the layers that the table allows', () => {
    expect(violations(SOURCES, importsWrongLayer)).toEqual([]);
  });

  it('never go from one dialect of rest to another', () => {
    expect(violations(SOURCES, importsOtherDialect)).toEqual([]);
  });

  it('of a room go only to the rooms before it', () => {
    expect(violations(SOURCES, importsLaterRoom)).toEqual([]);
  });

  it('form no circle, not even of types', () => {
    expect(findCircles(SOURCES)).toEqual([]);
  });

  it('of graphql/execution are `graphql` and its own files, so that it could be a package', () => {
    expect(violations(SOURCES, importsBesideGraphql)).toEqual([]);
  });

  it('of a package occur only in its own layers', () => {
    expect(violations(SOURCES, importsForeignPackage)).toEqual([]);
  });

  it.each([
    ['src/domain/x.ts', "import '../http/auth.ts'", importsWrongLayer],
    ['src/domain/x.ts', "import type { A } from '../graphql/a.ts'", importsWrongLayer],
    ['src/domain/x.ts', "await import('../start/app.ts')", importsWrongLayer],
    ['src/job/x.ts', "import '../store/tree/media.ts'", importsWrongLayer],
    ['src/outbound/x.ts', "import '../domain/error.ts'", importsWrongLayer],
    ['src/client/x.ts', "import '../lib/word.ts'", importsWrongLayer],
    ['src/domain/job/x.ts', "import '../tag/tag.ts'", importsLaterRoom],
    ['src/domain/tree/x.ts', "import type { A } from '../upload/a.ts'", importsLaterRoom],
    ['src/store/job/x.ts', "import '../tree/node.ts'", importsLaterRoom],
    ['src/domain/error.ts', "import type { A } from './job/state.ts'", importsLaterRoom],
    ['src/graphql/execution/x.ts', "import '../builder.ts'", importsBesideGraphql],
    ['src/graphql/execution/x.ts', "import 'dataloader'", importsBesideGraphql],
    ['src/rest/one/x.ts', "export * from '../two/y.ts'", importsOtherDialect],
    ['src/rest/one/x.ts', "import fastify from 'fastify'", importsForeignPackage],
    ['src/domain/x.ts', "import 'sharp'", importsForeignPackage],
    ['src/lib/x.ts', "import 'left-pad'", importsForeignPackage],
    ['src/client/x.ts', "import 'node:fs'", importsForeignPackage],
  ] as const)('reports a violation in %s: %s', (path, text, rule) => {
    expect(violations([parseSource(path, text)], rule)).toHaveLength(1);
  });

  it('reports a circle of two files, also when one import is of types only', () => {
    const files = [
      parseSource('src/lib/a.ts', "import './b.ts'"),
      parseSource('src/lib/b.ts', "import type { A } from './a.ts'"),
      parseSource('src/lib/c.ts', "import './a.ts'"),
    ];
    expect(findCircles(files)).toEqual(['src/lib/a.ts, src/lib/b.ts']);
  });
});

describe('sizes', () => {
  it(`no file has more than ${FILE_LINES_MAX} lines`, () => {
    const free = /^src\/store\/(migration\/.+|table\.ts)$/;
    const files = ALL.filter(({ path }) => !path.startsWith('test/') && !free.test(path));
    expect(longFiles(files, FILE_LINES_MAX)).toEqual([]);
  });

  it(`no test file has more than ${TEST_FILE_LINES_MAX} lines`, () => {
    const files = ALL.filter(({ path }) => path.startsWith('test/'));
    expect(longFiles(files, TEST_FILE_LINES_MAX)).toEqual([]);
  });

  it('reports a file that has a line too many', () => {
    const file = parseSource('test/x.test.ts', ';\n'.repeat(TEST_FILE_LINES_MAX + 1));
    expect(longFiles([file], TEST_FILE_LINES_MAX)).toEqual(['test/x.test.ts']);
  });

  it(`no folder has more than ${FOLDER_FILES_MAX} files`, () => {
    expect(crowdedFolders(SOURCES.map(({ path }) => path))).toEqual([]);
  });

  it('reports a folder with one file too many', () => {
    const paths = Array.from({ length: FOLDER_FILES_MAX + 1 }, (_, index) => `src/lib/${index}.ts`);
    expect(crowdedFolders(paths)).toEqual(['src/lib: 26 files']);
  });

  it(`no function has more than ${FUNCTION_LINES_MAX} lines`, () => {
    const long = SOURCES.flatMap(({ path, functions }) =>
      functions
        .filter(({ lineCount }) => lineCount > FUNCTION_LINES_MAX)
        .map(({ name, lineCount }) => `${path}: ${name} has ${lineCount} lines`),
    );
    expect(long).toEqual([]);
  });
});

describe('names', () => {
  it('are kebab-case', () => {
    const wrong = ALL.filter(({ path }) => !/^([a-z0-9-]+\/)+[a-z0-9-]+(\.test)?\.ts$/.test(path));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('are specific: no file is called utils, helpers or the like', () => {
    const dump = /(^|\/)(utils?|helpers?|common|shared|misc|types?|constants?)(\/|\.ts$)/;
    // The folder `graphql/type` is allowed: it has one file per noun.
    const wrong = SOURCES.filter(({ path }) =>
      dump.test(path.replace('graphql/type/', 'graphql/')),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('include no index.ts that re-exports other files', () => {
    const allowed = ['src/job/task/index.ts'];
    const barrels = listFiles('src').filter((path) => basename(path) === 'index.ts');
    expect(barrels.filter((path) => !allowed.includes(path))).toEqual([]);
  });
});

describe('rooms', () => {
  const ours = SOURCES.map(({ path }) => path);

  it('are the only folders of a layer, of a dialect, and of the parts of graphql and job', () => {
    expect(ours.filter(isInStrangeFolder)).toEqual([]);
  });

  it('hold every file whose name has their noun; a later room may hold it instead', () => {
    expect(ours.filter(isOutsideItsRoom)).toEqual([]);
  });

  it.each([
    ['src/job/task/helper/x.ts', isInStrangeFolder],
    ['src/rest/one/file/deep/x.ts', isInStrangeFolder],
    ['src/job/task/create-thumbnail.ts', isOutsideItsRoom],
    ['src/client/chunked-upload.ts', isOutsideItsRoom],
    ['src/domain/tree/upload.ts', isOutsideItsRoom],
    ['src/rest/one/file/rendition.ts', isOutsideItsRoom],
  ] as const)('report %s', (path, isWrong) => {
    expect(isWrong(path)).toBe(true);
  });
});

describe('source', () => {
  it('reads the environment and exits the process in main.ts only', () => {
    const uses = SOURCES.filter(({ path }) => path !== 'src/main.ts').flatMap(
      ({ path, processUses, imports }) => [
        ...processUses
          .filter((use) => /^process\.(env|exit)$/.test(use))
          .map((use) => `${path}: ${use}`),
        ...imports.filter(({ target }) => /^(node:)?process$/.test(target)).map(() => path),
      ],
    );
    expect(uses).toEqual([]);
  });

  it('has a doc comment on every export', () => {
    const bare = WRITTEN.flatMap(({ path, exports }) =>
      exports.filter(({ isDocumented }) => !isDocumented).map(({ name }) => `${path}: ${name}`),
    );
    expect(bare).toEqual([]);
  });

  it('has no notes of unfinished work', () => {
    const note = new RegExp(['TO', 'DO|FIX', 'ME'].join(''));
    expect(ALL.filter(({ text }) => note.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

type Rule = (file: SourceFile, imported: Import) => boolean;

function violations(files: readonly SourceFile[], isWrong: Rule): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((imported) => isWrong(file, imported))
      .map(({ target, isTypeOnly }) => `${file.path} → ${target}${isTypeOnly ? ' (type)' : ''}`),
  );
}

function importsWrongLayer({ path }: SourceFile, { target, isOurs }: Import): boolean {
  if (!isOurs || isRoot(path)) return false;
  const from = layerOf(path);
  const to = layerOf(target);
  const isAllowed = from === to || LAYERS[from]?.includes(to);
  return !isAllowed && !LAYERS[from]?.includes(target.split('/').slice(1, 3).join('/'));
}

/** In `domain` and `store`: a room imports a later room, or a file beside the rooms imports one after `event`. */
function importsLaterRoom({ path }: SourceFile, { target }: Import): boolean {
  const layer = /^src\/(domain|store)\//.exec(path)?.[0];
  if (layer === undefined || !target.startsWith(layer)) return false;
  const rank = (file: string) => ROOMS.indexOf(file.slice(layer.length).split('/')[0]!);
  const isBesideRooms = rank(path) === -1;
  return rank(target) > (isBesideRooms ? ROOMS.indexOf('event') : rank(path));
}

function isInStrangeFolder(path: string): boolean {
  const folders = path.replace(PARTS, '').split('/').slice(0, -1);
  return (
    path !== 'src/main.ts' && (folders.length > 1 || !folders.every((one) => ROOMS.includes(one)))
  );
}

/** Tells whether a name has a noun of a later room only: `upload/file-row.ts` may write the rows of files. */
function isOutsideItsRoom(path: string): boolean {
  const words = basename(path, '.ts').split('-');
  const hasNoun = (room: string) => words.some((word) => word === room || NOUNS[room]?.test(word));
  const own = ROOMS.findLastIndex((room) => dirname(path).split('/').includes(room));
  const isOwn = own !== -1 && hasNoun(ROOMS[own]!);
  return !FREE_NAMES.test(path) && !isOwn && ROOMS.findLastIndex(hasNoun) > own;
}

/** Returns a line for each set of files that import each other. */
function findCircles(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files.map(({ path, imports }) => [path, imports.map(({ target }) => target)]),
  );
  const reachableFrom = (start: string) => {
    const seen = new Set<string>();
    const waiting = [start];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      for (const target of targets.get(path) ?? []) {
        if (!seen.has(target)) waiting.push(target);
        seen.add(target);
      }
    }
    return seen;
  };
  const reachable = new Map([...targets.keys()].map((path) => [path, reachableFrom(path)]));
  const circles = [...reachable].map(([path, seen]) =>
    [...seen].filter((other) => reachable.get(other)?.has(path) && seen.has(path)).sort(),
  );
  return [
    ...new Set(circles.filter(({ length }) => length > 0).map((circle) => circle.join(', '))),
  ];
}

function crowdedFolders(paths: readonly string[]): string[] {
  return [...Map.groupBy(paths, (path) => dirname(path))]
    .filter(([folder, { length }]) => length > FOLDER_FILES_MAX && !folder.endsWith('/migration'))
    .map(([folder, { length }]) => `${folder}: ${length} files`);
}

function importsBesideGraphql({ path }: SourceFile, { target }: Import): boolean {
  const folder = 'src/graphql/execution/';
  return path.startsWith(folder) && target !== 'graphql' && !target.startsWith(folder);
}

/** Files with more lines, without those that `npm run codegen` writes. */
function longFiles(files: readonly SourceFile[], linesMax: number): string[] {
  return files
    .filter((file) => isWritten(file) && file.lineCount > linesMax)
    .map(({ path }) => path);
}

function isWritten({ path }: SourceFile): boolean {
  return !/^(src\/client\/(document|input|library)|(src\/cli|test\/support)\/document)\.ts$/.test(
    path,
  );
}

function importsOtherDialect({ path }: SourceFile, { target }: Import): boolean {
  const dialect = (file: string) => /^src\/rest\/([^/]+)\//.exec(file)?.[1];
  return (
    dialect(path) !== undefined &&
    target.startsWith('src/rest/') &&
    dialect(path) !== dialect(target)
  );
}

function importsForeignPackage(
  { path }: SourceFile,
  { target, isOurs, isTypeOnly }: Import,
): boolean {
  if (isOurs) return false;
  const layer = layerOf(path);
  // The client also runs in browsers.
  if (target.startsWith('node:')) return layer === 'client';
  const owner = PACKAGES.find(({ name }) => name.test(target));
  return !owner?.layers.includes(layer) && !(isTypeOnly && owner?.types?.includes(layer));
}

/** Returns the layer of a path: `store` for `src/store/db.ts`, `main` for `src/main.ts`. */
function layerOf(path: string): string {
  return path.split('/')[1]!.replace(/\.ts$/, '');
}

function isRoot(path: string): boolean {
  return ROOTS.includes(layerOf(path));
}
