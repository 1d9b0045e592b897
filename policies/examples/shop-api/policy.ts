// A shop's API, judged request by request: who may do what, and where the beta goes.
import { cluster, HostTable, KeyTable, PathTable, redirect, Request, Route, Verdict } from "weft";

const READ: u32 = 1;
const WRITE: u32 = 2;

const hosts = new HostTable<bool>("hosts").set("shop.example", true).set("*.shop.example", true);
// What a path asks of whoever comes: the most special pattern counts.
const needs = new PathTable<u32>("needs")
  .set("/orders/**", WRITE)
  .set("/orders/{id}/status", READ)
  .set("/products/**", READ);
// What a service account may, by the port that it comes to.
const grants = new KeyTable<u32>("grants").set2("web", 8080, WRITE).set2("report", 8080, READ);

const stable = cluster("api", "v1");
const beta = cluster("api", "v2");
const moved = redirect().code(301).replacePrefix("/catalog", "/products");

export function authorizeRequest(request: Request): Verdict {
  if (!hosts.get(request.host)) return Verdict.Deny;
  if (request.path.startsWith("/health")) return Verdict.Allow;
  if (request.path.startsWith("/catalog/")) return Verdict.Allow;
  const need = needs.get(request.path);
  if (need == 0) return Verdict.Deny;
  return grants.get2(request.source.serviceAccount, request.destination.port) >= need ? Verdict.Allow : Verdict.Deny;
}

export function routeRequest(request: Request): Route {
  if (request.path.startsWith("/catalog/")) return moved;
  return request.header("x-beta").is("yes") ? beta : stable;
}
