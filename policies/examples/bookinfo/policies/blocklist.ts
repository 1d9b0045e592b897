// Address blocks that must not connect, whoever they say they are.
import { CidrSet, Connection, Verdict } from "weft";

const blocked = new CidrSet("blocked");
blocked.add("10.66.0.0/16");
blocked.add("198.51.100.0/24");
blocked.add("fd00:66::/32");

export function authorizeConnection(connection: Connection): Verdict {
  return blocked.contains(connection.source.address) ? Verdict.Deny : Verdict.Pass;
}
