// One connection in ten to reviews meets the new version.
import { cluster, Connection, Route, split } from "weft";

const stable = cluster("reviews", "v1");
const canary = cluster("reviews", "v2");

export function routeConnection(connection: Connection): Route {
  if (connection.source.namespace.is("dev")) return canary;
  return split(stable, 90, canary, 10);
}
