/**
 * `npm run bench [start|reads|depth|uploads|memory|jobs|beside|bites|images|million|neighbours|storage …] [-- --rounds 5 --seconds 2 --connections 8
 * --dir /tmp --before <checkout> --results <file> --profile <dir>]`
 *
 * Measures this server and, in the same run and in turn, hand-written handlers that do the same work and nothing else
 * (limits), bare Yoga for reads and `@tus/server` for uploads. The ratios hold across machines; the absolute figures
 * do not.
 */
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { benchBeside } from './beside.ts';
import { benchBites } from './bites.ts';
import { benchDepth } from './depth.ts';
import { benchImages } from './images.ts';
import { benchJobs } from './jobs.ts';
import { benchMemory, type MemoryOptions } from './memory.ts';
import { benchMillion, type MillionOptions } from './million.ts';
import { benchNeighbours, type NeighbourOptions } from './neighbours.ts';
import { pinLoad } from './pinning.ts';
import { benchReads, type ReadOptions } from './reads.ts';
import { print, writeResultsTo } from './report.ts';
import { withScratch } from './scratch.ts';
import type { ServerSetup } from './server.ts';
import { benchStart, type StartOptions } from './start.ts';
import { benchStorage, type StorageOptions } from './storage.ts';
import { benchUploads, type UploadOptions } from './uploads.ts';

interface Options
  extends StartOptions,
    ReadOptions,
    UploadOptions,
    MemoryOptions,
    MillionOptions,
    NeighbourOptions,
    StorageOptions {}

const PARTS = {
  start: benchStart,
  reads: benchReads,
  depth: benchDepth,
  uploads: benchUploads,
  memory: benchMemory,
  jobs: benchJobs,
  beside: benchBeside,
  bites: benchBites,
  images: benchImages,
  million: benchMillion,
  neighbours: benchNeighbours,
  storage: benchStorage,
} satisfies Record<string, (setup: ServerSetup, options: Options) => Promise<void>>;

/** Only on request: seeding a million media takes minutes, and so does a search for the worst request; storage needs PostgreSQL. */
const { million: _million, neighbours: _neighbours, storage: _storage, ...defaultParts } = PARTS;
const DEFAULT_PARTS = Object.values(defaultParts);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Measured rounds of each contender, after one that warms up. */
    rounds: { type: 'string', default: '5' },
    /** Length of a round of reads. */
    seconds: { type: 'string', default: '2' },
    /** Connections of the reads. */
    connections: { type: 'string', default: '8' },
    /** Only reads, uploads, memory scenarios and cases of storage whose title contains this. */
    only: { type: 'string', default: '' },
    /** Parent of the temporary directory, on the disk that uploads are measured on. */
    dir: { type: 'string', default: tmpdir() },
    /** Markdown file that the results are written to, such as `bench/RESULTS.md`. */
    results: { type: 'string' },
    /** `sqlite`, `postgres` (at `TEST_POSTGRES_URL`) or `both`: for the parts `reads`, `million` and `neighbours`. */
    database: { type: 'string', default: 'both' },
    /** Media of the part `neighbours`. */
    size: { type: 'string', default: '100000' },
    /** Requests of each dialect that the part `neighbours` tries. */
    tries: { type: 'string', default: '120' },
    /** Keeps the databases that the part `million` has seeded. */
    keep: { type: 'boolean', default: false },
    /** Another checkout of Trivium, with its `node_modules`: starts, reads and uploads measure its server too. */
    before: { type: 'string' },
    /** Directory for our server's CPU profiles. */
    profile: { type: 'string' },
  },
});

// The exit handler of the scratch directory kills the servers and deletes the files.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}

const parts = positionals.map(parsePart);
const pinning = pinLoad();
const options = {
  rounds: parseCount('rounds'),
  seconds: parseCount('seconds'),
  connections: parseCount('connections'),
  only: values.only,
  database: parseDatabase(values.database),
  dir: values.dir,
  before: values.before === undefined ? null : pathToFileURL(`${values.before}/`),
  keep: values.keep,
  size: parseCount('size'),
  tries: parseCount('tries'),
};
if (values.results) writeResultsTo(values.results);
print(`Node ${process.version}, ${cpus()[0]?.model.trim()}; ${pinning.description}`);
print(`Medians of ${options.rounds} rounds in turn; Trivium with a JWT and a log line a request.`);
warnOfLoad();
for (const part of parts.length > 0 ? parts : DEFAULT_PARTS) {
  await withScratch(values.dir, (scratch) =>
    part({ scratch, pinning, profileDirectory: values.profile ?? null }, options),
  );
}

function parsePart(name: string) {
  if (Object.hasOwn(PARTS, name)) return PARTS[name as keyof typeof PARTS];
  throw new Error(`No part ${name}: ${Object.keys(PARTS).join(', ')}`);
}

function parseCount(name: 'rounds' | 'seconds' | 'connections' | 'size' | 'tries'): number {
  const count = Number(values[name]);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`--${name}: a whole number above 0`);
}

function parseDatabase(name: string): MillionOptions['database'] {
  if (name === 'sqlite' || name === 'postgres' || name === 'both') return name;
  throw new Error('--database: sqlite, postgres or both');
}

/** Warns if other programs use the machine: they disturb the figures. */
function warnOfLoad(): void {
  const [load = 0] = loadavg();
  if (load < availableParallelism() / 4) return;
  print(`Load average ${load.toFixed(1)} before the run: other programs disturb the figures.`);
}
