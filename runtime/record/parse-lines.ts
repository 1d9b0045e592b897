/**
 * Records of a block of lines. The lines are read as one JSON text, which takes half the time; where
 * that fails, line by line, so that a fault is told with its line and the others count.
 */
import { isUtf8 } from 'node:buffer';
import {
  type Diagnostic,
  diagnostic,
  messageOf,
  type Position,
} from '../../compiler/diagnostic/index.js';
import { isoMilliseconds, isRecord, recordFaults } from '../schema/index.js';
import { CODES } from './codes.js';
import { type LineBlock, MAX_LINE_BYTES } from './line-blocks.js';
import type { TrafficRecord } from './types.js';

export interface ParsedLines {
  readonly records: readonly TrafficRecord[];
  /** Line of each record. */
  readonly lines: readonly number[];
  readonly faults: readonly Diagnostic[];
}

const NEWLINE = 10;

/** A fault of one line. */
export function lineFault(
  code: string,
  message: string,
  file: string,
  line: number,
  help: string | null = null,
): Diagnostic {
  const at: Position = { file, line, column: 1 };
  return diagnostic(code, message, { at, help: help ?? CODES[code]?.help ?? null });
}

/** V8's words for a syntax error, without the text that it quotes. */
function jsonFault(error: unknown): string {
  const said = messageOf(error);
  return `the line is no JSON: ${said
    .replace(/,? ?\.{0,3}".*$/s, '')
    .replace(/ in JSON.*$/, '')
    .toLowerCase()}`;
}

/** Whether its time, if it has one, is a time: the schema knows its form alone. */
function hasTime({ time }: TrafficRecord): boolean {
  return time === undefined || !Number.isNaN(isoMilliseconds(time));
}

function parseEach(block: LineBlock, file: string): ParsedLines {
  const records: TrafficRecord[] = [];
  const lines: number[] = [];
  const faults: Diagnostic[] = [];
  const bytes = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length);
  let at = 0;
  for (let line = block.firstLine; at < bytes.length; line += 1) {
    const found = bytes.indexOf(NEWLINE, at);
    const end = found < 0 ? bytes.length : found;
    const isLast = block.open === true && end === bytes.length;
    const part = bytes.subarray(at, end);
    at = end + 1;
    if (!isUtf8(part)) {
      faults.push(lineFault('W403', 'the line is not UTF-8', file, line));
      continue;
    }
    const text = part.toString('utf8');
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      faults.push(
        isLast
          ? lineFault('W404', 'the file ends within a record', file, line)
          : lineFault('W401', jsonFault(error), file, line),
      );
      continue;
    }
    const wrong = recordFaults(value, { file, line, column: 1 });
    if (wrong.length > 0) faults.push(...wrong);
    else if (!hasTime(value as TrafficRecord)) {
      const { time } = value as TrafficRecord;
      faults.push(lineFault('W409', `\`${time}\` is no time of any calendar`, file, line));
    } else {
      records.push(value as TrafficRecord);
      lines.push(line);
    }
  }
  return { records, lines, faults };
}

/** All lines at once; null where a line is not a record, or blank. */
function parseTogether(block: LineBlock): readonly TrafficRecord[] | null {
  if (!isUtf8(block.bytes)) return null;
  const text = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length)
    .toString('utf8')
    .trimEnd();
  let values: unknown;
  try {
    // The line's end stays: within a text it is a fault.
    values = JSON.parse(`[${text.replaceAll('\n', ',\n')}]`);
  } catch {
    return null;
  }
  if (!Array.isArray(values) || values.length !== block.lines) return null;
  for (const value of values) if (!isRecord(value) || !hasTime(value)) return null;
  return values as TrafficRecord[];
}

/** Reads the records of a block; a line that is none is a fault. */
export function parseLines(block: LineBlock, file: string): ParsedLines {
  if (block.tooLong === true) {
    const message = `the line has more than ${MAX_LINE_BYTES} bytes`;
    return { records: [], lines: [], faults: [lineFault('W402', message, file, block.firstLine)] };
  }
  const records = parseTogether(block);
  if (records === null) return parseEach(block, file);
  return { records, lines: records.map((_, i) => block.firstLine + i), faults: [] };
}
