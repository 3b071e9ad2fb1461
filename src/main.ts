#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Keeps the compiled program on disk, which saves a third of the start. Only someone who may change the program may
// write to this directory. Everything works without it.
enableCompileCache(
  fileURLToPath(new URL('../node_modules/.cache/trivium-compiled', import.meta.url)),
);
const { runCommand } = await import('./start/command.ts');
await runCommand({ argv: process.argv, env: process.env, exit: process.exit });
