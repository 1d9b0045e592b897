/** Debian's Chromium without a screen, for the tests of pages. */
import { type Browser, chromium } from 'playwright-core';

const FILE = '/usr/bin/chromium';
/** Without the last four it looks for hosts of its own at each start. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Nothing is measured by it: a loaded machine takes long to start a browser. */
export const PATIENCE_MS = 120_000;

/** Starts it; dispose of it when done. */
export async function openChromium(): Promise<Browser> {
  return await chromium.launch({ executablePath: FILE, args: FLAGS, timeout: PATIENCE_MS });
}
