// The words of a script's command line, as parseArgs reads them. `--help` prints the usage; what nobody knows does so too, and ends with 64.
import { parseArgs } from 'node:util';

export function readWords(usage, options) {
  try {
    const help = { type: 'boolean', default: false };
    const read = parseArgs({ options: { ...options, help }, allowPositionals: true });
    if (!read.values.help) return read;
    console.log(`usage: ${usage}`);
    process.exit(0);
  } catch (error) {
    console.error(`error: ${error.message.split('. To specify')[0]}\n  help: usage: ${usage}`);
    process.exit(64);
  }
}
