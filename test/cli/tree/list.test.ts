import { expect, test } from 'vitest';
import { type CliSetup, withCli } from '../../support/cli.ts';
import { makeFolder, makeMedia } from '../../support/make.ts';
import { withTerminal } from '../../support/terminal.ts';
