/**
 * What answers HTTP: health, readiness, metrics and the JSON API, as a hono app.
 *
 * @module
 */
import { Hono } from "hono";
import { apiRoutes, type HttpEnv } from "./api.ts";
import { type HostNames, isOurHost } from "./hosts.ts";
import { Metrics, METRICS_TYPE } from "./metrics/mod.ts";
import type { NodeView } from "./node_view.ts";
import { readinessOf } from "./readiness.ts";
import { slicedResponse } from "./slices.ts";

/** What the app is about. */
export interface AppOptions {
  readonly node: NodeView;
  readonly hosts: HostNames;
}

/** For answers to machines: nothing of them is a page, may be framed, kept or read by other sites. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Makes the app; its `fetch` answers requests. */
export function httpApp({ node, hosts }: AppOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      c.res = c.json({ error: `${c.req.method} is not obeyed here: only GET and HEAD are` }, 405, {
        allow: "GET, HEAD",
      });
    } else if (isOurHost(c.req.header("host"), hosts)) {
      await next();
    } else c.res = c.json({ error: "the Host header names another node: see the setting httpHosts" }, 421);
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  });
  app.notFound((c) => c.json({ error: `there is no ${c.req.path}` }, 404));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    const readiness = await readinessOf(node);
    return c.json(readiness, readiness.ready ? 200 : 503);
  });
  const metrics = new Metrics(node);
  app.get("/metrics", async () => {
    return slicedResponse(await metrics.text(), METRICS_TYPE);
  });
  app.route("/api/v1", apiRoutes(node));
  return app;
}
