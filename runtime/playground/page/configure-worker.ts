/** Entry of the worker that runs one configure phase; whoever started it ends it. */
import { type ConfigureInput, runConfigure } from '../../snapshot/run-configure.js';

addEventListener('message', ({ data }: MessageEvent<ConfigureInput>) => {
  postMessage(runConfigure(data));
});
