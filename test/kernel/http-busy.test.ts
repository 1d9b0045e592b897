/** Memory of requests being judged: a CPU's own, then what all share, then none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KernelMap } from '../../runtime/kernel/index.js';
import { HttpNet, VIP4 } from './fixtures/http.js';

const POLICY = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  return request.path.startsWith("/private") ? Verdict.Deny : Verdict.Allow;
}
`;
const ALLOWED = [200, 'GET /a 0\n', false];
const DENIED = [403, 'RBAC: access denied', false];

const test = suite('http: memory of requests being judged');
let http: HttpNet;
let own: KernelMap;
let shared: KernelMap;

test.before(async () => {
  http = await HttpNet.open('b');
  const generation = await http.load({ 'http.ts': POLICY });
  http.enrol();
  const maps = `${http.paths.pins}/generations/${generation}/maps`;
  own = http.kernel.openMap(`${maps}/weft_requests`);
  shared = http.kernel.openMap(`${maps}/weft_more_requests`);
});
test.after(async () => {
  own?.[Symbol.dispose]();
  shared?.[Symbol.dispose]();
  await http?.close();
});

/** Marks all slots of a map as taken, or as free; `copies`: one a CPU in each value. */
function mark(map: KernelMap, copies: number, busy: number): void {
  for (const key of map.keys()) {
    const value = map.lookup(key) ?? new Uint8Array();
    for (let copy = 0; copy < copies; copy++) value[(copy * value.length) / copies] = busy;
    map.update(key, value);
  }
}
const isUsed = (map: KernelMap): boolean =>
  map.keys().some((key) => map.lookup(key)?.some((byte) => byte !== 0));
const isTaken = (map: KernelMap): boolean => map.keys().some((key) => map.lookup(key)?.[0] !== 0);

/** Possible CPUs: the kernel gives a value a CPU, each padded to 8 bytes. */
function cpus(): number {
  const [key] = shared.keys();
  const [one] = own.keys();
  const length = (map: KernelMap, at: Uint8Array | undefined): number =>
    at === undefined ? 0 : (map.lookup(at)?.length ?? 0);
  return length(own, one) / length(shared, key);
}

const ask = (path: string): Promise<unknown> => http.client.value(`ask(s, get("${path}"))`);

test("where a CPU's own is taken, requests are judged in what all share", async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await ask('/a'), ALLOWED);
  assert.not(isUsed(shared), 'nobody needs it yet');
  mark(own, cpus(), 1);
  assert.equal(
    [await ask('/a'), await ask('/private'), await ask('/a')],
    [ALLOWED, DENIED, ALLOWED],
  );
  assert.ok(isUsed(shared));
  assert.not(isTaken(shared), 'it was given back');
});

test('where nothing is left, the connection ends, counted; the next one finds what is free again', async () => {
  const before = http.denied('busy');
  mark(own, cpus(), 1);
  mark(shared, 1, 2);
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.ask('ask(s, get("/a"))'), { error: 'EACCES' });
  assert.is(http.denied('busy'), before + 1n);
  mark(shared, 1, 0);
  assert.equal(await http.client.ask('ask(s, get("/a"))'), { error: 'EACCES' });
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal([await ask('/a'), await ask('/private')], [ALLOWED, DENIED]);
  mark(own, cpus(), 0);
  assert.equal(await ask('/a'), ALLOWED);
});

test.run();
