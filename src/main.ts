#!/usr/bin/env node
import { runCommand } from './start/command.ts';

await runCommand({ argv: process.argv, env: process.env, exit: process.exit });
