// The call graph of Bookinfo: who calls whom inside the namespace.
import { Connection, Protocol, Verdict } from "weft";

export function authorizeConnection(connection: Connection): Verdict {
  const caller = connection.source.serviceAccount;
  const callee = connection.destination.label("app");
  if (connection.protocol == Protocol.UDP) {
    // Ratings takes votes by datagram, from reviews only.
    return callee.is("ratings") && caller.is("reviews") ? Verdict.Allow : Verdict.Deny;
  }
  if (caller.is("productpage")) {
    return callee.is("details") || callee.is("reviews") ? Verdict.Allow : Verdict.Deny;
  }
  if (caller.is("reviews") && callee.is("ratings")) {
    // v1 shows no stars: it has no business with ratings.
    return connection.source.label("version").is("v1") ? Verdict.Deny : Verdict.Allow;
  }
  return Verdict.Deny;
}
