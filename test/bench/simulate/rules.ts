/**
 * The same ten rules in three languages: five that deny, which go before, five that allow, and deny where none
 * holds. They look at method, path, host, one header, and the namespace and account of the client.
 */

export const WEFT_RULES = `import { Request, Verdict } from "weft";

export function authorizeRequest(request: Request): Verdict {
  const source = request.source;
  if (request.method.is("TRACE")) return Verdict.Deny;
  if (request.path.startsWith("/internal/")) return Verdict.Deny;
  if (request.path.startsWith("/admin/") && !source.serviceAccount.is("admin")) return Verdict.Deny;
  if (request.host.is("legacy.prod") && request.method.is("POST")) return Verdict.Deny;
  if (request.header("x-debug").is("true")) return Verdict.Deny;
  if (request.path.is("/healthz")) return Verdict.Allow;
  if (source.namespace.is("monitoring") && request.path.is("/metrics")) return Verdict.Allow;
  if (source.namespace.is("prod") && request.method.is("POST") && request.path.startsWith("/reviews/")) return Verdict.Allow;
  if (source.serviceAccount.is("productpage") && request.path.startsWith("/ratings/")) return Verdict.Allow;
  if (source.namespace.is("prod") && request.method.is("GET") && request.path.startsWith("/reviews/")) return Verdict.Allow;
  return Verdict.Deny;
}
`;

export const REGO_RULES = `package weft

default allow := false

allow if {
	not denied
	permitted
}

denied if input.method == "TRACE"

denied if startswith(input.path, "/internal/")

denied if {
	startswith(input.path, "/admin/")
	input.source.serviceAccount != "admin"
}

denied if {
	input.host == "legacy.prod"
	input.method == "POST"
}

denied if input.headers["x-debug"] == "true"

permitted if input.path == "/healthz"

permitted if {
	input.source.namespace == "monitoring"
	input.path == "/metrics"
}

permitted if {
	input.source.namespace == "prod"
	input.method == "POST"
	startswith(input.path, "/reviews/")
}

permitted if {
	input.source.serviceAccount == "productpage"
	startswith(input.path, "/ratings/")
}

permitted if {
	input.source.namespace == "prod"
	input.method == "GET"
	startswith(input.path, "/reviews/")
}
`;

export const CEDAR_RULES = `
forbid (principal, action == Action::"TRACE", resource);
forbid (principal, action, resource) when { context.path like "/internal/*" };
forbid (principal, action, resource) when { context.path like "/admin/*" && principal.serviceAccount != "admin" };
forbid (principal, action == Action::"POST", resource) when { context.host == "legacy.prod" };
forbid (principal, action, resource) when { context has debug && context.debug == "true" };
permit (principal, action, resource) when { context.path == "/healthz" };
permit (principal, action, resource) when { principal.namespace == "monitoring" && context.path == "/metrics" };
permit (principal, action == Action::"POST", resource) when { principal.namespace == "prod" && context.path like "/reviews/*" };
permit (principal, action, resource) when { principal.serviceAccount == "productpage" && context.path like "/ratings/*" };
permit (principal, action == Action::"GET", resource) when { principal.namespace == "prod" && context.path like "/reviews/*" };
`;
