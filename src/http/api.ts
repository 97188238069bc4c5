/**
 * The JSON API: what reads of `rocketd admin`, as `/api/v1/COMMAND?option=value`, asked of this node's nameservers.
 *
 * It is no way around anything: it is there for this machine and the addresses in `adminRequestsFrom`, it asks brokers in
 * the name of whom it is asked by (access key and secret as HTTP's user and password), other sites' pages in a browser
 * may not use it, and it connects to no other addresses than those that the nameservers know.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import {
  Admin,
  ADMIN_COMMANDS,
  type AdminCommand,
  findAdminCommand,
  readValues,
  resultData,
} from "../client/admin/mod.ts";
import { parseAddresses } from "../config/addresses.ts";
import { messageOf, RocketdError } from "../errors.ts";
import { API_CHARACTERS_MAX, API_MS_MAX, API_REQUESTS_MAX } from "../limits.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { type Credentials, signer } from "../remoting/access/signature.ts";
import type { Peer } from "../remoting/listener.ts";
import type { NodeView } from "./node_view.ts";
import { inSlices, slicedResponse } from "./slices.ts";

/** What a request brings besides itself. */
export type HttpEnv = { Bindings: { readonly peer: Peer } };

/** Why a request is not obeyed, and HTTP's status for it. */
class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** What reads; the table of `/api/v1`. */
const COMMANDS = ADMIN_COMMANDS.filter(({ changes }) => !changes);

const JSON_TYPE = "application/json";

/** The routes below `/api/v1`. */
export function apiRoutes(node: NodeView): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  let running = 0;
  app.use((c, next) => {
    checkCaller(c, node);
    return next();
  });
  app.get("/", (c) => c.json({ commands: COMMANDS.map(describe) }));
  app.get("/:command", async (c) => {
    const command = findAdminCommand(c.req.param("command"));
    if (command === undefined) throw new ApiError(404, `there is no command ${c.req.param("command")}: see /api/v1`);
    if (command.changes) throw new ApiError(403, `${command.name} changes something: the API only reads`);
    const values = readValues(command.options, givenOptions(c, command));
    if (running >= API_REQUESTS_MAX) throw new ApiError(503, `${API_REQUESTS_MAX} commands run already: try again`);
    running++;
    try {
      return await run(node, command, values, credentialsOf(c));
    } finally {
      running--;
    }
  });
  app.onError((error, c) => {
    const { status, message } = asApiError(error);
    return c.json({ error: message }, { status: status as 400 });
  });
  return app;
}

function describe({ name, area, summary, options }: AdminCommand) {
  const shown = Object.entries(options)
    .filter(([, { changes }]) => !changes)
    .map(([name, { help, required = false }]) => ({ name, help, required }));
  return { name, area, summary, options: shown };
}

function checkCaller(c: Context<HttpEnv>, node: NodeView): void {
  const { isLocal, ip } = c.env.peer;
  if (!isLocal && !node.apiFrom.some((text) => parseAddresses(text)?.(ip))) {
    throw new ApiError(403, `the API is for this machine, not for ${ip}: see the setting adminRequestsFrom`);
  }
  const site = c.req.header("sec-fetch-site") ?? "none";
  if (!["none", "same-origin"].includes(site) || c.req.header("origin") !== undefined) {
    throw new ApiError(403, "pages of other sites may not use the API");
  }
}

/** The options as they stand in the query: by their long names or mqadmin's, each once. */
function givenOptions(c: Context<HttpEnv>, command: AdminCommand): (name: string) => string | undefined {
  const given = new Map<string, string>();
  for (const [key, texts] of Object.entries(c.req.queries())) {
    const [name, option] = Object.entries(command.options)
      .find(([name, { aliases = [] }]) => name === key || aliases.includes(key)) ?? [];
    if (name === undefined) throw new ApiError(400, `${command.name} has no option ${key}: see /api/v1`);
    if (option?.changes) throw new ApiError(403, `${key} changes something: the API only reads`);
    if (texts.length > 1 || given.has(name)) throw new ApiError(400, `the option ${name} stands there twice`);
    given.set(name, texts[0]!);
  }
  return (name) => given.get(name);
}

/** Access key and secret, as HTTP's user and password. */
function credentialsOf(c: Context<HttpEnv>): Credentials | undefined {
  const header = c.req.header("authorization");
  if (header === undefined) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header)?.[1];
  const [, accessKey, secretKey] = /^([^:]+):(.+)$/.exec(decodeBase64(encoded ?? "")) ?? [];
  if (accessKey === undefined || secretKey === undefined) {
    throw new ApiError(400, "the Authorization header: expected Basic with access key and secret");
  }
  return { accessKey, secretKey };
}

function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}

async function run(
  node: NodeView,
  command: AdminCommand,
  values: Parameters<AdminCommand["run"]>[1],
  credentials: Credentials | undefined,
): Promise<Response> {
  const { nameservers } = node;
  if (nameservers.length === 0) throw new ApiError(503, "this node knows no nameserver: see the setting namesrvAddr");
  const known = new Set(nameservers);
  await using admin = new Admin({
    nameservers,
    tls: node.tls,
    sign: credentials && signer(credentials),
    allows: (address) => known.has(address),
  });
  let late = false;
  // Whatever it waits for is given up.
  const timer = setTimeout(() => {
    late = true;
    admin.close();
  }, API_MS_MAX);
  try {
    for (const { brokerAddrs } of (await admin.clusters()).brokerAddrTable.values()) {
      for (const address of brokerAddrs.values()) known.add(address);
    }
    const result = await command.run(admin, values);
    const { slices, complete } = await inSlices(jsonPieces(resultData(result)), { charactersMax: API_CHARACTERS_MAX });
    if (!complete) throw new ApiError(500, `the answer has more than ${API_CHARACTERS_MAX} characters`);
    return slicedResponse(slices, JSON_TYPE, result.failures.length === 0 ? 200 : 502);
  } catch (error) {
    if (late) throw new ApiError(504, `${command.name} took longer than ${API_MS_MAX} ms`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The text of an object, with a piece for each item of its lists. */
function* jsonPieces(data: Readonly<Record<string, unknown>>): Generator<string> {
  let before = "{";
  for (const [name, value] of Object.entries(data)) {
    yield `${before}${JSON.stringify(name)}:`;
    before = ",";
    if (!Array.isArray(value) || value.length === 0) {
      yield JSON.stringify(value) ?? "null";
      continue;
    }
    for (const [i, item] of value.entries()) yield `${i === 0 ? "[" : ","}${JSON.stringify(item)}`;
    yield "]";
  }
  yield before === "{" ? "{}" : "}";
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof RocketdError)) return new ApiError(500, messageOf(error));
  const { code, message, details } = error;
  switch (code) {
    case "invalidArgument":
      return new ApiError(400, message);
    case "notFound":
      return new ApiError(404, message);
    case "timeout":
      return new ApiError(504, message);
    case "refused": {
      const forbidden = details.responseCode === ResponseCode.NO_PERMISSION || message.includes("AclException");
      return new ApiError(forbidden ? 403 : 502, message);
    }
    default:
      return new ApiError(502, message);
  }
}
