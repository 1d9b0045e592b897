// Nobody outside the namespace reaches a workload of prod, but for the front door.
import { Connection, Verdict } from "weft";

export function authorizeConnection(connection: Connection): Verdict {
  if (connection.source.namespace == connection.destination.namespace) return Verdict.Pass;
  if (connection.destination.label("app").is("productpage")) return Verdict.Pass;
  return Verdict.Deny;
}
