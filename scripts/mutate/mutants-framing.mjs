// Where messages end: the framer of replies and the walker of chunked bodies.
const lines = 'bpf/http/lines.h';
const usualLine = 'bpf/http/usual-line.h';
const chunk = 'bpf/http/chunk.h';
const reply = 'bpf/http/reply.h';

export const FRAMING = [
  {
    class: 'order of replies',
    name: 'a request passes to the bound server although a redirected reply is not with the client yet',
    file: 'bpf/request/request.h',
    find: '(http->lease && !weft_is_delivered((void *)native->socket, http->lease))',
    replace: '0',
    suite: 'kernel/http-order',
  },
  {
    class: 'message framing',
    name: 'a carriage return folds to the hyphen of keep-alive',
    file: usualLine,
    find: '(word | 0x2020200020202020ull)',
    replace: '(word | 0x2020202020202020ull)',
    suite: 'unit/reply-rules',
  },
  {
    class: 'message framing',
    name: 'a digit of the status carries into the next',
    file: reply,
    find: '((digits | (digits + 0x060606)) & 0xf0f0f0)',
    replace: '((digits + 0x060606) & 0xf0f0f0)',
    suite: 'unit/reply-rules',
  },
  {
    class: 'message framing',
    name: 'a tab after a coding is white space',
    file: lines,
    find: "(byte == '\\t' && lines->field == WEFT_LINE_CONNECTION)",
    replace: "byte == '\\t'",
    suite: 'unit/reply-rules',
  },
  {
    class: 'message framing',
    name: 'a second Content-Length counts',
    file: lines,
    find: 'if (lines->seen & bit)',
    replace: 'if (0)',
    suite: 'unit/reply-rules',
  },
  {
    class: 'message framing',
    name: 'what ends a chunk is passed over',
    file: chunk,
    find: "if (byte != '\\r')\n\t\t\treturn weft_lines_refuse(lines, WEFT_FRAME_CHUNK_END);",
    replace: '',
    suite: 'unit/chunk-rules',
  },
  {
    class: 'message framing',
    name: 'a reply to HEAD has a body',
    file: reply,
    find: '(asked & WEFT_ASKED_HEAD) || status == 204',
    replace: 'status == 204',
    suite: 'unit/reply-rules',
  },
  {
    class: 'message framing',
    name: 'an interim reply is the final one',
    file: reply,
    find: 'if (status < 200 && status != 101) {',
    replace: 'if (status < 100) {',
    suite: 'unit/reply-rules',
  },
  {
    class: 'off by one in a bound',
    name: 'a chunk header may be one byte longer',
    file: lines,
    find: 'size >= WEFT_CHUNK_HEADER_MAX',
    replace: 'size > WEFT_CHUNK_HEADER_MAX',
    suite: 'unit/chunk-rules',
  },
  {
    class: 'off by one in a bound',
    name: 'a line that ends beyond the window is taken',
    file: usualLine,
    find: 'if (at + 1 < lines->have && (weft_window_word(bytes, at) & 0xffff) == 0x0a0d) {\n\t\t\tlines->at = at + 2;',
    replace: 'if ((weft_window_word(bytes, at) & 0xffff) == 0x0a0d) {\n\t\t\tlines->at = at + 2;',
    suite: 'unit/reply-rules',
  },
];
