import { Connection, Protocol, Verdict } from "weft";

export function authorizeConnection(connection: Connection): Verdict {
  if (connection.protocol != Protocol.TCP) return Verdict.Deny;
  return connection.destination.port == 8080 ? Verdict.Allow : Verdict.Pass;
}
