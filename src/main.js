#!/usr/bin/env node
// JavaScript: Node would strip the types of its entry before the first line runs, and keep the compiler for that, 17 MiB,
// in memory. The other files come from the cache, without types.
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/** The first Node that strips types without a flag. */
const NODE_MIN = [22, 18];

/**
 * V8's flags. By default, the young space of a busy server grows to 128 MiB, and the old one to a multiple of what is in
 * use. `bench/tried.md` has what these values gain and cost.
 */
const FLAGS = [
  '--max-semi-space-size=8',
  '--initial-old-space-size=40',
  '--heap-growing-percent=40',
];

/** Heaps of the C library. By default, almost each thread gets one of its own, and keeps what it has freed. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };

/**
 * Keeps the compiled program on disk, which saves half of the start. Only someone who may change the program may write
 * to this directory. Everything works without it.
 */
const CACHE = fileURLToPath(new URL('../node_modules/.cache/trivium-compiled', import.meta.url));

requireNode();
replaceProcess();
// `trivium ls | head` closes the pipe. Other programs end then, too: the number of SIGPIPE is 13.
if (process.argv[2] !== 'serve') {
  process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(128 + 13);
  });
}
nodeModule.enableCompileCache(CACHE);
await run().catch(explainMissingPackage);

async function run() {
  const { runCommand } = await import('./start/command.ts');
  await runCommand({ argv: process.argv, env: process.env, exit: process.exit });
}

/**
 * Ends the process if a package is missing: the program has been copied without its packages, or updated without them.
 * @param {unknown} error
 */
function explainMissingPackage(error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  const [, name] = /^Cannot find package '([^']+)'/.exec(message) ?? [];
  if (code !== 'ERR_MODULE_NOT_FOUND' || name === undefined) throw error;
  const directory = fileURLToPath(new URL('..', import.meta.url));
  console.error(`trivium: the package ${name} is missing: run \`npm ci\` in ${directory}`);
  process.exit(1);
}

/**
 * Ends the process of a Node that cannot run the program. Everything above this call must work in that Node, too: a name
 * that one of its modules lacks cannot be imported.
 */
function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = NODE_MIN;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  console.error(
    `trivium: this is Node ${process.versions.node}, and Trivium needs Node ${NODE_MIN.join('.')} or later. ` +
      '`npm ci` installs one: start the server with `npm start`, and run commands with `npx trivium`.',
  );
  process.exit(1);
}

/**
 * Starts the program anew in this process, with flags, if it has none yet: so they are the same however it has been
 * started. An operator's own flags take precedence. A process with a channel to its parent would lose it, as under
 * `--watch`; it runs without flags, and so does one on a system without `execve`.
 */
function replaceProcess() {
  const { execve, execPath, execArgv, argv, env } = process;
  const isOwn = (/** @type {string} */ flag) =>
    !env.NODE_OPTIONS?.includes(flag.slice(0, flag.indexOf('=')));
  const flags = FLAGS.filter(isOwn);
  const isDone = flags.every((flag) => execArgv.includes(flag));
  if (execve === undefined || process.channel || isDone) return;
  const entry = fileURLToPath(import.meta.url);
  execve(execPath, [execPath, ...flags, ...execArgv, entry, ...argv.slice(2)], {
    ...ENVIRONMENT,
    ...env,
  });
}
