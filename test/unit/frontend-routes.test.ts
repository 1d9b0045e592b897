/** Routes that are no plain cluster: what is declared comes out as written, and what is wrong at its text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { replyBytes, routeText } from '../../compiler/abi/index.js';
import { ALLOW, compile, compiled, findings } from './frontend-project.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const declared = suite('frontend routes: declared');

declared('numbers follow the declarations, whatever their kind', async () => {
  const { registry } = await compiled(`const a = cluster("s", "a");
const no = respond(403, "no");
const b = edit(cluster("s", "b")).setHeader("X-A", "b c").host("h:81");
const c = edit(b).addHeader("x-a", "2").removeHeader("x-b").replacePrefix("/a/", "");
const go = redirect().code(308).scheme("https").host("x.example").port(8443).path("/y");
const there = redirect().scheme("http").host("x").path("/y").dropQuery();
const slow = waypoint();
new Table<Route>("t").set("no", no).set("c", c).set("slow", slow);
${ALLOW}`);
  assert.equal(
    registry.routes.map((r) => routeText(r.target)),
    [
      's/a',
      'reply 403',
      's/b',
      's/b, set x-a: b c, host h:81',
      's/b, set x-a: b c, host h:81, add x-a: 2, remove x-b, path /a/ -> /',
      'redirect 308, scheme https, host x.example, port 8443, path /y',
      'reply 302 http://x/y',
      'waypoint',
    ],
  );
  assert.equal(
    registry.tables[0]?.entries.map((e) => e.value),
    [2, 5, 8],
  );
  assert.equal(
    registry.routes.map((r) => `${r.at?.line}:${r.at?.column}`),
    ['2:11', '3:12', '4:16', '4:11', '5:11', '6:12', '7:15', '8:14'],
  );
});

declared('the bytes of a reply', async () => {
  const { registry } = await compiled(`respond(200, "größer", [["X-Kind", "a b"]]);
respond(204);
const headers = [["content-type", "application/json"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]];
respond(418, "{}", headers);
redirect().scheme("https").host("[::1]").port(8443).path("/a").dropQuery().code(301);
${ALLOW}`);
  assert.equal(
    registry.routes.map(({ target }) => target.kind === 'reply' && text(replyBytes(target.reply))),
    [
      'HTTP/1.1 200 OK\r\ncontent-length: 8\r\ncontent-type: text/plain\r\nx-kind: a b\r\n\r\ngrößer',
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 418 \r\ncontent-length: 2\r\ncontent-type: application/json\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\n{}',
      'HTTP/1.1 301 Moved Permanently\r\ncontent-length: 0\r\nlocation: https://[::1]:8443/a\r\n\r\n',
    ],
  );
});

declared('a redirect whose parts are not all known asks the request', async () => {
  const { registry } = await compiled(`redirect().host("x").path("/y").dropQuery();
redirect().scheme("http").path("/y").dropQuery();
redirect().scheme("http").host("x").dropQuery();
redirect().scheme("http").host("x").path("/y");
redirect().scheme("http").host("x").replacePrefix("/a", "/b").dropQuery();
redirect().scheme("http").host("x").path("/y").dropQuery();
${ALLOW}`);
  assert.equal(
    registry.routes.map((r) => r.target.kind),
    ['redirect', 'redirect', 'redirect', 'redirect', 'redirect', 'reply'],
  );
});

declared('the first of equal names holds, and the other is told', async () => {
  const outcome = await compile(`const a = edit(cluster("s", "a"))
  .setHeader("x", "1").setHeader("X", "2").addHeader("x", "3")
  .addHeader("x", "4").removeHeader("y").removeHeader("y");
${ALLOW}`);
  assert.ok(outcome.ok);
  assert.equal(
    outcome.diagnostics.map((d) => `${d.code} ${d.severity} ${d.line}:${d.column} ${d.message}`),
    [
      'P124 warning 3:39 an earlier set of `x` holds',
      'P124 warning 4:19 an earlier add of `x` holds',
      'P124 warning 4:55 an earlier remove of `y` holds',
    ],
  );
  const target = outcome.result.registry.routes[1]?.target;
  assert.is(target && routeText(target), 's/a, set x: 1, add x: 3, remove y');
});
declared.run();

const refused = suite('frontend routes: refused');
const long = (n: number): string => `"/${'a'.repeat(n - 1)}"`;
/** A statement, and the findings about it, as `CODE column message`. */
const rows: readonly (readonly [string, readonly string[]])[] = [
  ['respond(200);', []],
  ['respond(599);', []],
  ['respond(199);', ['P116 1 199 is no status of a reply']],
  ['respond(101);', ['P116 1 101 is no status of a reply']],
  ['respond(600);', ['P116 1 600 is no status of a reply']],
  ['respond(204, "");', []],
  ['respond(204, "x");', ['P117 1 a 204 has no body']],
  ['respond(205, "x");', ['P117 1 a 205 has no body']],
  ['respond(304, "x");', ['P117 1 a 304 has no body']],
  ['respond(200, "x", [["Content-Length", "7"]]);', ['P118 1 `Content-Length` frames the message']],
  ['respond(200, "x", [["connection", "x"]]);', ['P118 1 `connection` frames the message']],
  ['respond(200, "x", [["host", "x"]]);', []],
  ['respond(200, "x", [["a b", "x"]]);', ['P119 1 `a b` is no name of a header']],
  ['respond(200, "x", [[]]);', ['P119 1 `` is no name of a header']],
  ['respond(200, "x", [["a", "x\\r\\nb: c"]]);', ['P119 1 "x\\r\\nb: c" is no value of a header']],
  ['respond(200, "a".repeat(958));', []],
  ['respond(200, "a".repeat(959));', ['P125 1 the reply has 1025 bytes, at most 1024']],

  ['redirect().code(303);', []],
  ['redirect().code(300);', ['P116 17 300 is no status of a redirect']],
  ['redirect().code(304);', ['P116 17 304 is no status of a redirect']],
  ['redirect().scheme("HTTP");', ['P121 19 "HTTP" is no scheme']],
  ['redirect().host("a-b.example");', []],
  ['redirect().host("a:80");', ['P121 17 "a:80" is no host']],
  ['redirect().host("");', ['P121 17 "" is no host']],
  ['redirect().host("a/b");', ['P121 17 "a/b" is no host']],
  ['redirect().host("[::1]");', []],
  ['redirect().host("::1");', ['P121 17 "::1" is no host']],
  ['redirect().port(0);', ['P121 17 0 is no port']],
  ['redirect().port(65536);', ['P121 17 65536 is no port']],
  ['redirect().path("y");', ['P120 17 "y" is no path']],
  ['redirect().path("/y?z");', ['P120 17 "/y?z" is no path']],
  [
    'redirect().path("/a").replacePrefix("/b", "/c");',
    ['P123 43 the path of the redirect is said twice'],
  ],
  ['redirect().code(301).code(302);', ['P123 27 the status of the redirect is said twice']],
  [
    'redirect().scheme("http").host("h").dropQuery().path("/" + "a".repeat(1000));',
    ['P125 1 the reply has 1062 bytes, at most 1024'],
  ],

  ['edit(a).path("/%C3%A9/a:b@c");', []],
  ['edit(a).path("");', ['P120 14 "" is no path']],
  ['edit(a).path("//a");', ['P120 14 "//a" is no path']],
  ['edit(a).path("/a/../b");', ['P120 14 "/a/../b" is no path']],
  ['edit(a).path("/a/.");', ['P120 14 "/a/." is no path']],
  ['edit(a).path("/a%2fb");', ['P120 14 "/a%2fb" is no path']],
  ['edit(a).path("/a#b");', ['P120 14 "/a#b" is no path']],
  ['edit(a).path("/é");', ['P120 14 "/é" is no path']],
  [`edit(a).path(${long(1024)});`, []],
  [`edit(a).path(${long(1025)});`, [`P120 14 ${long(1025)} is no path`]],
  ['edit(a).replacePrefix("/a", "");', []],
  ['edit(a).replacePrefix("", "/a");', ['P120 27 "" is no path']],
  ['edit(a).replacePrefix("/a", "b");', ['P120 29 "b" is no path']],
  ['edit(a).path("/b").path("/c");', ['P123 25 the path of the route is said twice']],
  ['edit(a).host("b:8080");', []],
  ['edit(a).host("b:0");', ['P121 14 "b:0" is no host']],
  ['edit(a).host("b c");', ['P121 14 "b c" is no host']],
  ['edit(edit(a).host("b")).host("c");', ['P123 30 the host of the route is said twice']],
  ['edit(a).setHeader("Host", "b");', ['P118 27 `Host` frames the message']],
  ['edit(a).setHeader("x", "");', []],
  ['edit(a).setHeader("x", " y");', ['P119 24 " y" is no value of a header']],
  ['edit(a).setHeader("x:", "y");', ['P119 25 `x:` is no name of a header']],
  ['edit(a).setHeader(":path", "y");', ['P119 28 `:path` is no name of a header']],
  [`edit(a).setHeader("${'n'.repeat(256)}", "${'v'.repeat(4096)}");`, []],
  [
    `edit(a).removeHeader("${'n'.repeat(257)}");`,
    [`P119 22 \`${'n'.repeat(257)}\` is no name of a header`],
  ],
  [
    `edit(a).setHeader("x", "${'v'.repeat(4097)}");`,
    [`P119 24 "${'v'.repeat(4097)}" is no value of a header`],
  ],
  ...[
    'connection',
    'content-length',
    'expect',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ].flatMap((name): (readonly [string, readonly string[]])[] => [
    [`edit(a).removeHeader("${name}");`, [`P118 22 \`${name}\` frames the message`]],
  ]),
  ['edit(respond(404));', ['P122 1 the edited route has no cluster']],
  ['edit(redirect());', ['P122 1 the edited route has no cluster']],
  ['edit(waypoint());', ['P122 1 the edited route has no cluster']],
  ['edit(Route.None);', ['P122 1 the edited route has no cluster']],
];
refused('each at its text, all in one build', async () => {
  const found = await findings(
    `const a = cluster("s", "a");\n${rows.map(([statement]) => statement).join('\n')}\n${ALLOW}`,
  );
  const want = rows.flatMap(([, list], i) =>
    list.map((one) => one.replace(' ', ` policy.ts:${3 + i}:`)),
  );
  assert.ok(want.length > 50);
  assert.equal(found, want);
});

refused('16 edits, and one more', async () => {
  const edits = (n: number): string =>
    `const e = edit(cluster("s", "a"));\nfor (let i = 0; i < ${n}; i++) e.addHeader("x-" + i.toString(), "y");\n${ALLOW}`;
  assert.equal(await findings(edits(16)), []);
  assert.equal(await findings(edits(17)), [
    'P126 policy.ts:2:11 the route has 17 edits, at most 16',
  ]);
});

refused('declarations in a policy function', async () => {
  const inside = (statement: string): string =>
    `const a = cluster("s", "a"), e = edit(a);\nexport function routeConnection(connection: Connection): Route {\n  ${statement}\n}\n`;
  for (const [statement, name] of [
    ['return respond(404);', 'respond'],
    ['return waypoint();', 'waypoint'],
    ['return edit(a);', 'edit'],
    ['return e.host("b");', 'host'],
  ] as const) {
    assert.equal(await findings(inside(statement)), [
      `P103 policy.ts:4:10 \`${name}\` declares, which a policy function cannot do`,
    ]);
  }
});
refused.run();
