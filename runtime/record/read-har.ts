/** HAR 1.2, as browsers and proxies save it: every entry is a request of one client. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import { isoMilliseconds, isRecord } from '../schema/index.js';
import type { SourceBatch } from './decide-stream.js';
import { harEntries, MAX_ENTRY_BYTES } from './har-entries.js';
import { lineFault } from './parse-lines.js';
import { placeFinder } from './place-finder.js';
import type { TrafficRecord } from './types.js';

export interface HarOptions {
  readonly world: World;
  readonly file: string;
  /** The client, which a HAR does not name: a workload or an address. */
  readonly from: string;
}

/** Records a batch: so that the first are decided before the last are read. */
const BATCH = 1024;
const PORT: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'ws:': 80,
  'wss:': 443,
};

interface HarEntry {
  readonly startedDateTime?: unknown;
  readonly serverIPAddress?: unknown;
  readonly request?: {
    readonly method?: unknown;
    readonly url?: unknown;
    readonly headers?: unknown;
  };
}

function headersOf(list: unknown, host: string): (readonly [string, string])[] {
  const pairs = (Array.isArray(list) ? list : []).flatMap((item: unknown) => {
    const { name, value } = (item ?? {}) as { name?: unknown; value?: unknown };
    if (typeof name !== 'string' || typeof value !== 'string') return [];
    return [[name, value] as const];
  });
  // HTTP/2 has no Host header but a pseudo header; the URL has the same.
  const plain = pairs.filter(([name]) => !name.startsWith(':'));
  const hasHost = plain.some(([name]) => name.toLowerCase() === 'host');
  return hasHost ? plain : [['host', host], ...plain];
}

/** The time of an entry, which may have none; null where it is none of any calendar. */
function timeOf(text: unknown): { time?: string } | null {
  if (text === undefined || text === null) return {};
  const ms = typeof text === 'string' ? isoMilliseconds(text) : Number.NaN;
  return Number.isNaN(ms) ? null : { time: new Date(ms).toISOString() };
}

/** Reads a HAR document: entries as records, by the line on which they begin. */
export async function* readHar(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { world, file, from }: HarOptions,
): AsyncGenerator<SourceBatch> {
  const placeOf = placeFinder(world);
  let records: TrafficRecord[] = [];
  let lines: number[] = [];
  let faults: Diagnostic[] = [];
  const take = (): SourceBatch => {
    const batch = { records, lines, faults };
    [records, lines, faults] = [[], [], []];
    return batch;
  };
  const read = (bytes: Uint8Array, line: number): void => {
    let entry: HarEntry;
    try {
      entry = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as HarEntry;
    } catch (error) {
      const isText = error instanceof SyntaxError;
      faults.push(
        isText
          ? lineFault('W401', 'the entry is no JSON', file, line)
          : lineFault('W403', 'the entry is not UTF-8', file, line),
      );
      return;
    }
    const { request, startedDateTime, serverIPAddress } = entry;
    const url =
      typeof request?.url === 'string' && URL.canParse(request.url) ? new URL(request.url) : null;
    const port = url === null ? undefined : PORT[url.protocol];
    if (url === null || typeof request?.method !== 'string') {
      faults.push(lineFault('W408', 'the entry has no request with method and URL', file, line));
      return;
    }
    if (port === undefined) {
      const message = `the entry asks for no server: its URL begins with \`${url.protocol}\``;
      faults.push(lineFault('W408', message, file, line));
      return;
    }
    const time = timeOf(startedDateTime);
    if (time === null) {
      faults.push(lineFault('W408', '`startedDateTime` is no point in time', file, line));
      return;
    }
    const address =
      typeof serverIPAddress === 'string' ? serverIPAddress.replace(/^\[|\]$/g, '') : null;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const record: TrafficRecord = {
      ...time,
      from,
      to: placeOf({ address, host, port: url.port === '' ? port : Number(url.port) }),
      request: {
        method: request.method,
        path: url.pathname + url.search,
        headers: headersOf(request.headers, url.host),
      },
    };
    if (!isRecord(record)) {
      faults.push(
        lineFault(
          'W403',
          'a header of the entry has characters that no header can have',
          file,
          line,
        ),
      );
      return;
    }
    records.push(record);
    lines.push(line);
  };
  for await (const part of harEntries(input)) {
    if (part.kind === 'entry') read(part.bytes, part.line);
    else if (part.kind === 'tooLong') {
      const message = `the entry has more than ${MAX_ENTRY_BYTES} bytes`;
      faults.push(lineFault('W402', message, file, part.line));
    } else if (part.cut) {
      faults.push(lineFault('W404', 'the file ends within the document', file, part.line));
    } else if (!part.found) {
      faults.push(lineFault('W408', 'the document has no list `log.entries`', file, part.line));
    }
    if (records.length >= BATCH) yield take();
  }
  yield take();
}
