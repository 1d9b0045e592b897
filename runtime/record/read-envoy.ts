/**
 * Access logs of Envoy in JSON, one object a line, with the fields that Istio's default has. A field
 * that is no field of Envoy's but a header that the policies look at, `_` standing for `-`, is that header.
 */
import { isUtf8 } from 'node:buffer';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import { isoMilliseconds, isRecord } from '../schema/index.js';
import type { SourceBatch } from './decide-stream.js';
import { lineBlocks, MAX_LINE_BYTES } from './line-blocks.js';
import { lineFault } from './parse-lines.js';
import { placeFinder } from './place-finder.js';
import type { TrafficRecord } from './types.js';

export interface EnvoyOptions {
  readonly world: World;
  readonly file: string;
  /** Headers that the policies look at, in lower case. */
  readonly headers: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Headers under the names that Istio's log has for them. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['user-agent', 'user_agent'],
  ['x-request-id', 'request_id'],
  ['x-forwarded-for', 'x_forwarded_for'],
];

/** The text of a field; null where it has none, which Envoy writes as `-` or null. */
function textOf(fields: Fields, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '-' && value !== '') return value;
  }
  return null;
}

/** Splits `address:port`; null where it is no such text (a pipe, an internal listener). */
function splitAddress(
  text: string | null,
): { readonly host: string; readonly port: number } | null {
  const found = text === null ? null : /^\[?([0-9a-fA-F:.]+?)\]?:(\d{1,5})$/.exec(text);
  if (found?.[1] === undefined) return null;
  return { host: found[1], port: Number(found[2]) };
}

function headersOf(fields: Fields, wanted: readonly string[]): (readonly [string, string])[] {
  const host = textOf(fields, 'authority', ':authority');
  const known = HEADERS.flatMap(([name, field]) => {
    const value = textOf(fields, field);
    return value === null ? [] : [[name, value] as const];
  });
  const more = wanted.flatMap((name) => {
    if (name === 'host' || HEADERS.some(([other]) => other === name)) return [];
    const value = textOf(fields, name, name.replaceAll('-', '_'));
    return value === null ? [] : [[name, value] as const];
  });
  return [...(host === null ? [] : [['host', host] as const]), ...known, ...more];
}

/** The record of a log line; a text says what it lacks. */
function recordOf(
  fields: Fields,
  placeOf: ReturnType<typeof placeFinder>,
  wanted: readonly string[],
): TrafficRecord | string {
  const from = splitAddress(
    textOf(fields, 'downstream_direct_remote_address', 'downstream_remote_address'),
  );
  if (from === null) return 'the line has no `downstream_remote_address`';
  const to = splitAddress(textOf(fields, 'downstream_local_address', 'upstream_host'));
  if (to === null) return 'the line has neither `downstream_local_address` nor `upstream_host`';
  const method = textOf(fields, 'method', ':method');
  const path = textOf(fields, 'x_envoy_original_path', 'path', ':path');
  const start = textOf(fields, 'start_time', 'timestamp');
  const ms = start === null ? null : isoMilliseconds(start);
  if (Number.isNaN(ms)) return `\`${start}\` is no point in time`;
  const id = textOf(fields, 'request_id');
  const authority = textOf(fields, 'authority', ':authority');
  return {
    ...(id === null ? {} : { id }),
    ...(ms === null ? {} : { time: new Date(ms).toISOString() }),
    from: from.host,
    to: placeOf({
      address: to.host,
      host: (authority ?? to.host).replace(/:\d+$/, ''),
      port: to.port,
    }),
    ...(method === null || path === null
      ? {}
      : { request: { method, path, headers: headersOf(fields, wanted) } }),
  };
}

/** Reads an access log; a line that cannot be decided is a fault, the others count. */
export async function* readEnvoy(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { world, file, headers }: EnvoyOptions,
): AsyncGenerator<SourceBatch> {
  const placeOf = placeFinder(world);
  for await (const block of lineBlocks(input)) {
    const records: TrafficRecord[] = [];
    const lines: number[] = [];
    const faults: Diagnostic[] = [];
    const read = (text: string, line: number, isLast: boolean): void => {
      let fields: Fields;
      try {
        fields = JSON.parse(text) as Fields;
      } catch {
        faults.push(
          isLast
            ? lineFault('W404', 'the file ends within a line', file, line)
            : lineFault('W401', 'the line is no JSON', file, line),
        );
        return;
      }
      const isObject = typeof fields === 'object' && fields !== null;
      const record = isObject ? recordOf(fields, placeOf, headers) : 'the line is no object';
      if (typeof record === 'string') faults.push(lineFault('W408', record, file, line));
      else if (!isRecord(record))
        faults.push(lineFault('W403', 'the line has characters that are no bytes', file, line));
      else {
        records.push(record);
        lines.push(line);
      }
    };
    if (block.tooLong === true) {
      const message = `the line has more than ${MAX_LINE_BYTES} bytes`;
      faults.push(lineFault('W402', message, file, block.firstLine));
    } else {
      const bytes = Buffer.from(block.bytes);
      const texts = bytes.toString('latin1').split('\n');
      for (const [i, raw] of texts.entries()) {
        const line = block.firstLine + i;
        if (raw.trim() === '') continue;
        const part = Buffer.from(raw, 'latin1');
        if (isUtf8(part))
          read(part.toString('utf8'), line, block.open === true && i === texts.length - 1);
        else faults.push(lineFault('W403', 'the line is not UTF-8', file, line));
      }
    }
    yield { records, lines, faults };
  }
}
