import { addPart, declareAnswer } from "./registry";
import { Route } from "./route";

// Numbers of the registry; their twin is compiler/frontend/read-routes.ts.
const REPLY: u32 = 1;
const REDIRECT: u32 = 2;
const WAYPOINT: u32 = 3;
const EDITED: u32 = 4;

const BODY: u32 = 1;
const HEADER: u32 = 2;
const SCHEME: u32 = 3;
const HOST: u32 = 4;
const PORT: u32 = 5;
const PATH: u32 = 6;
const PREFIX: u32 = 7;
const DROP_QUERY: u32 = 8;
const SET: u32 = 9;
const ADD: u32 = 10;
const REMOVE: u32 = 11;
const CODE: u32 = 12;

/**
 * Declares a reply that the mesh gives itself, at the top level. Its length, and the type of plain
 * text for a body, are filled in. A body or headers that no such reply can have are errors of the build.
 *
 * @example
 * const busy = respond(429, "slow down", [["retry-after", "5"]]);
 */
export function respond(
  status: u32, body: string | null = null, headers: string[][] | null = null, __position: u32 = 0,
): Route {
  const route = declareAnswer(REPLY, status, __position);
  if (body !== null) addPart(route, BODY, changetype<u32>(body), 0, __position);
  if (headers !== null) {
    for (let i = 0; i < headers.length; i++) {
      const name = headers[i].length > 0 ? headers[i][0] : "";
      const value = headers[i].length > 1 ? headers[i][1] : "";
      addPart(route, HEADER, changetype<u32>(name), changetype<u32>(value), __position);
    }
  }
  return changetype<Route>(route);
}

/**
 * Declares a redirect, at the top level: 302, to the request's own URL but for what is said.
 *
 * @example
 * const secure = redirect().code(301).scheme("https");
 * const moved = redirect().host("new.example").replacePrefix("/old", "/new");
 */
export function redirect(__position: u32 = 0): Redirect {
  return changetype<Redirect>(declareAnswer(REDIRECT, 302, __position));
}

/**
 * Declares the slow path, at the top level: the request goes to the cluster of its connection by way
 * of the agent.
 */
export function waypoint(__position: u32 = 0): Route {
  return changetype<Route>(declareAnswer(WAYPOINT, 0, __position));
}

/**
 * Declares a route to the cluster of another, at the top level, by which requests are changed. Edits
 * apply in the order in which they are written, after those of an edited route.
 *
 * @example
 * const marked = edit(canary).setHeader("x-version", "v2").replacePrefix("/api", "/");
 */
export function edit(route: Route, __position: u32 = 0): Edited {
  return changetype<Edited>(declareAnswer(EDITED, changetype<u32>(route), __position));
}

/** A redirect under declaration; every method gives the same route. */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Redirect extends Route {
  /** The status: 301, 302, 303, 307 or 308. */
  code(status: u32, __position: u32 = 0): Redirect {
    return this.part(CODE, status, 0, __position);
  }
  /** `http` or `https`; without it that of the request. */
  scheme(scheme: string, __position: u32 = 0): Redirect {
    return this.part(SCHEME, changetype<u32>(scheme), 0, __position);
  }
  /** The host, without port; without it that of the request. */
  host(host: string, __position: u32 = 0): Redirect {
    return this.part(HOST, changetype<u32>(host), 0, __position);
  }
  /** The port; without it that of the scheme, and without a scheme the one that was connected to. */
  port(port: u32, __position: u32 = 0): Redirect {
    return this.part(PORT, port, 0, __position);
  }
  /** The whole path. */
  path(path: string, __position: u32 = 0): Redirect {
    return this.part(PATH, changetype<u32>(path), 0, __position);
  }
  /** The path with its leading elements replaced; another path stays as it is. */
  replacePrefix(prefix: string, replacement: string, __position: u32 = 0): Redirect {
    return this.part(PREFIX, changetype<u32>(prefix), changetype<u32>(replacement), __position);
  }
  /** Leaves the query out; it is kept otherwise. */
  dropQuery(__position: u32 = 0): Redirect {
    return this.part(DROP_QUERY, 0, 0, __position);
  }
  private part(kind: u32, a: u32, b: u32, position: u32): Redirect {
    addPart(changetype<u32>(this), kind, a, b, position);
    return this;
  }
}

/** An edited route under declaration; every method gives the same route. */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Edited extends Route {
  /** The request has this header once, with this value. */
  setHeader(name: string, value: string, __position: u32 = 0): Edited {
    return this.part(SET, changetype<u32>(name), changetype<u32>(value), __position);
  }
  /** The request has one header more, after those of the same name. */
  addHeader(name: string, value: string, __position: u32 = 0): Edited {
    return this.part(ADD, changetype<u32>(name), changetype<u32>(value), __position);
  }
  /** The request lacks the header. */
  removeHeader(name: string, __position: u32 = 0): Edited {
    return this.part(REMOVE, changetype<u32>(name), 0, __position);
  }
  /** The whole path; the query stays. */
  path(path: string, __position: u32 = 0): Edited {
    return this.part(PATH, changetype<u32>(path), 0, __position);
  }
  /** The path with its leading elements replaced; another path stays as it is. The query stays. */
  replacePrefix(prefix: string, replacement: string, __position: u32 = 0): Edited {
    return this.part(PREFIX, changetype<u32>(prefix), changetype<u32>(replacement), __position);
  }
  /** The host, with a port where one is wanted. */
  host(host: string, __position: u32 = 0): Edited {
    return this.part(HOST, changetype<u32>(host), 0, __position);
  }
  private part(kind: u32, a: u32, b: u32, position: u32): Edited {
    addPart(changetype<u32>(this), kind, a, b, position);
    return this;
  }
}
