/**
 * A request in hand: what came, and the one answer that goes back.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { type HeaderEncoding, ResponseCode } from "../protocol/codes.ts";
import type { HeaderFields } from "../protocol/fields.ts";
import type { Frame } from "../protocol/frame.ts";
import type { RequestHeader, RequestType } from "../protocol/request.ts";
import type { Connection } from "./connection.ts";
import type { Answer, FlowLimit, Incoming } from "./handlers.ts";

const log = getLogger(["rocketd", "remoting"]);

const NO_BYTES = new Uint8Array(0);

/** The only implementation of {@linkcode Incoming}. */
export class IncomingRequest implements Incoming {
  body: Uint8Array;
  readonly opaque: number;
  readonly version: number;
  readonly language: string;
  readonly encoding: HeaderEncoding;
  #fields: HeaderFields | undefined;
  #counted = true;
  #answered = false;

  constructor(
    readonly connection: Connection,
    readonly type: RequestType,
    frame: Frame,
    readonly header: RequestHeader<RequestType>,
    readonly oneWay: boolean,
    readonly limit: FlowLimit | undefined,
  ) {
    this.body = frame.body;
    this.opaque = frame.header.opaque;
    this.version = frame.header.version;
    this.language = frame.header.language;
    this.encoding = frame.encoding;
    this.#fields = frame.header.fields;
    if (limit !== undefined) limit.inHand++;
  }

  extFields(): Map<string, string> {
    return this.#fields?.all() ?? new Map();
  }

  hold(): void {
    if (!this.#counted) return;
    this.#counted = false;
    if (this.limit !== undefined) this.limit.inHand--;
    this.letGo();
    this.connection.finished();
  }

  /** What waits must not keep the buffer it came in, which is used again by now. */
  letGo(): void {
    this.body = NO_BYTES;
    this.#fields = undefined;
    const { views } = this.type.request;
    for (let i = 0; i < views.length; i++) (this.header as Record<string, unknown>)[views[i]!] = undefined;
  }

  answer(answer: Answer): void {
    if (this.#answered) return;
    this.#answered = true;
    if (!this.oneWay) this.connection.sendAnswer(this.encoding, this.opaque, this.type, answer);
    this.hold();
  }

  /** Answers for a handler that threw: SYSTEM_ERROR with the reason; what was not foreseen is logged too. */
  fail(error: unknown): void {
    if (!(error instanceof RocketdError)) {
      log.error("{name} from {peer} failed: {error}", { name: this.type.name, peer: this.connection.peer, error });
    }
    this.answer({ code: ResponseCode.SYSTEM_ERROR, remark: `${this.type.name}: ${messageOf(error)}` });
  }
}
