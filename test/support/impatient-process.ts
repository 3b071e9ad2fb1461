/**
 * `node impatient-process.ts`: a server whose limits on the arrival of bodies are a tenth of those of `trivium serve`.
 * It has no other difference, and is killed at the end.
 */
import { BODY_PACE } from '../../src/http/slow-body.ts';
import { createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';

const bodyPace = { windowMs: BODY_PACE.windowMs / 10, smallBodyMs: BODY_PACE.smallBodyMs / 10 };
const app = await createApp(parseConfig(process.env), { bodyPace });
const url = await app.start();
app.log.info({ url }, `listening on ${url}`);
