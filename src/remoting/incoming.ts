/**
 * A request in hand: what came, and the one answer that goes back.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { type HeaderEncoding, ResponseCode } from "../protocol/codes.ts";
import type { Frame, HeaderFields } from "../protocol/frame.ts";
import type { RequestHeader, RequestType } from "../protocol/request.ts";
import type { Connection } from "./connection.ts";
import type { Answer, Incoming } from "./handlers.ts";

const log = getLogger(["rocketd", "remoting"]);

/** The only implementation of {@linkcode Incoming}. */
export class IncomingRequest implements Incoming {
  readonly body: Uint8Array;
  readonly opaque: number;
  readonly version: number;
  readonly language: string;
  readonly encoding: HeaderEncoding;
  readonly #fields: HeaderFields;
  #counted = true;
  #answered = false;

  constructor(
    readonly connection: Connection,
    readonly type: RequestType,
    frame: Frame,
    readonly header: RequestHeader<RequestType>,
    readonly oneWay: boolean,
  ) {
    this.body = frame.body;
    this.opaque = frame.header.opaque;
    this.version = frame.header.version;
    this.language = frame.header.language;
    this.encoding = frame.encoding;
    this.#fields = frame.header.fields;
  }

  extFields(): Map<string, string> {
    return this.#fields.all();
  }

  hold(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.connection.finished();
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
