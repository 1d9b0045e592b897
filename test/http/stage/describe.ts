/** A failed row as text: its steps as they can be run again, and what came instead. */
import type { Failure, Performance } from './play.js';
import type { Command, Part, Row } from './row.js';

const WIDTH = 400;

function part(one: Part): string {
  if (typeof one !== 'string') return JSON.stringify(one);
  const text = JSON.stringify(one);
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}… (${one.length} bytes)`;
}
const bytes = (all: readonly Part[]): string => all.map(part).join(' + ');

function command(one: Command): string {
  switch (one.op) {
    case 'send':
    case 'attempt':
      return `${one.op} ${one.segments.map(bytes).join(' | ')}`;
    case 'request':
    case 'expect':
    case 'lacks':
      return `${one.op} ${bytes(one.bytes)}`;
    case 'end':
      return `end ${one.ends.join(' or ')}`;
    default:
      return one.op;
  }
}

function seen({ result }: Failure): string {
  const lines = [`  seen: ${result.end ?? 'bytes that differ'}`];
  if (result.got !== undefined)
    lines.push(
      `  bytes from ${result.at ?? 0} on: ${part(result.got)} (${result.length ?? 0} came)`,
    );
  return lines.join('\n');
}

/** A failure of a test, told by text alone: where the code stands says nothing. */
export function failWith(message: string, details: string): never {
  const error = Object.assign(new Error(message), { details: `\n${details}\n` });
  error.stack = '';
  throw error;
}

/** The row as played in one mode, with a mark at the step that failed. */
export function describeFailure(row: Row, mode: string, { steps, failure }: Performance): string {
  if (failure === null) return '';
  const lines = steps.map((step, index) => {
    const mark = index === failure.at ? '>' : ' ';
    const place = step.on === 'bound' ? `${step.who} (bound)` : step.who;
    return `${mark} ${place}: ${command(step.command)}`;
  });
  const socket = row.socket === undefined ? '' : `, ${row.socket} socket`;
  return [
    `${row.id} (${mode}${socket}): ${failure.what} did not go as written`,
    ...lines,
    seen(failure),
  ].join('\n');
}
