/**
 * Path templates: `{*}` stands for one segment, `{**}` for any rest, also an empty one. Both stand for
 * certain characters only, and so does what is written out: a path with another one fits no template.
 */
import { type Condition, testWith } from '../condition.js';
import { type PolicyText, quote } from '../policy-text.js';

const LITERAL = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;

/** True for values that are read as templates, or refused as such. */
export function isTemplate(text: string): boolean {
  return /[{}]/.test(text);
}

/** What is wrong with a template; null where nothing is. */
export function templateFault(text: string): string | null {
  if (!text.startsWith('/')) return 'does not begin with a slash';
  const segments = text.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  let rest = false;
  for (const segment of segments) {
    if (segment === '{*}' || segment === '{**}') {
      if (rest) return 'has an operator behind `{**}`';
      rest = segment === '{**}';
    } else if (!LITERAL.test(segment)) {
      return `has the segment \`${segment}\`, which is neither an operator nor plain`;
    }
  }
  return null;
}

/**
 * Bytes of a path that are looked at: each turn of a loop is verified. A longer path stops the decision of a
 * policy with templates (weft.json `failure.trap`).
 */
export const MAX_TEMPLATE_PATH = 1024;

const PLAIN = `(path: View): bool {
  if (path.length > ${MAX_TEMPLATE_PATH}) unreachable();
  for (let i: u32 = 0; i < ${MAX_TEMPLATE_PATH}; i++) {
    if (i >= path.length) break;
    const byte = <u32>path.at(i);
    const bits: u64 = byte < 64 ? LOW : HIGH;
    if (byte > 127 || ((bits >> (byte & 63)) & 1) == 0) return false;
  }
  return true;
}`;

/** The two halves of the set of bytes that templates know, slashes among them. */
function plainBits(): readonly [bigint, bigint] {
  const halves: [bigint, bigint] = [0n, 0n];
  for (let byte = 0; byte < 128; byte += 1) {
    const text = String.fromCharCode(byte);
    if (text !== '/' && !LITERAL.test(text)) continue;
    if (byte < 64) halves[0] |= 1n << BigInt(byte);
    else halves[1] |= 1n << BigInt(byte - 64);
  }
  return halves;
}

function plainHelper(): string {
  const [low, high] = plainBits();
  return PLAIN.replace('LOW', `0x${low.toString(16)}`).replace('HIGH', `0x${high.toString(16)}`);
}

/** Statements that take what stands before `{**}` off the path. */
function takeHead(head: string): string[] {
  const lines: string[] = [];
  const parts = head.split('{*}');
  for (const [i, part] of parts.entries()) {
    if (i > 0) {
      lines.push('const end = rest.find(0x2f);', 'if (end == 0) return false;');
      lines.push('rest = rest.slice(end);');
    }
    lines.push(`if (!rest.startsWith(${quote(part)})) return false;`);
    lines.push(`rest = rest.slice(${part.length});`);
  }
  let ends = 0;
  return lines.map((line) => {
    if (line.startsWith('const end')) ends += 1;
    return line.replace(/\bend\b/g, ends > 1 ? `end${ends}` : 'end');
  });
}

function templateHelper(policy: PolicyText, text: string): string {
  const [head = '', tail = ''] = text.split('{**}');
  const lines = ['let rest = path;', ...takeHead(head)];
  lines.push(tail === '' ? 'return true;' : `return rest.endsWith(${quote(tail)});`);
  return policy.helper(
    'template',
    `// ${text}`,
    `(path: View): bool {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`,
  );
}

/** The local that says whether the whole path is of bytes that templates know: asked once a request. */
export const PLAIN_LOCAL = 'isPlain';

/** Declares what PLAIN_LOCAL is made by; the expression. */
export function plainPath(policy: PolicyText): string {
  const name = policy.helper(
    'hasPlainBytes',
    '// Only bytes that path templates know.',
    plainHelper(),
  );
  return `${name}(request.path)`;
}

/** True where the path of a request fits the template, which has no fault. */
export function fitsTemplate(text: string): Condition {
  return testWith((policy) => {
    if (text.includes('{**}')) {
      return `(${PLAIN_LOCAL} && ${templateHelper(policy, text)}(request.path))`;
    }
    const shape = policy.declare('shape', `pattern(${quote(text.replaceAll('{*}', '*'))})`);
    return `(${PLAIN_LOCAL} && ${shape}.matches(request.path))`;
  });
}
