// Who calls whom, as a table: each row that may has a neighbour that may not.
import { connect, datagram, expect, test } from "weft/test";

class Call {
  constructor(readonly from: string, readonly to: string, readonly may: bool) {}
}

const calls: Call[] = [
  new Call("productpage.prod", "details.prod:80", true),
  new Call("productpage.prod", "ratings.prod:80", false),
  new Call("reviews-v2.prod", "ratings.prod:80", true),
  new Call("reviews-v1.prod", "ratings.prod:80", false),
  new Call("details.prod", "ratings.prod:80", false),
];

test("the call graph, row by row", () => {
  for (let i = 0; i < calls.length; i++) {
    const asked = expect(connect(calls[i].from, calls[i].to));
    if (calls[i].may) asked.toAllow();
    else asked.toDeny();
  }
});

test("version 1 shows no stars", () => {
  expect(connect("reviews-v1.prod", "ratings.prod:80")).toDeny().toBeDecidedBy("callers.ts:16");
  expect(connect("reviews-v2.prod", "ratings.prod:80")).toAllow().toReach("ratings/v1");
});

test("votes come by datagram, from reviews only", () => {
  expect(datagram("reviews-v2.prod", "10.1.0.7:9080")).toAllow();
  expect(datagram("details.prod", "10.1.0.7:9080")).toDeny();
});
