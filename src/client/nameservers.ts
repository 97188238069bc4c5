/**
 * Several nameservers that know the same: asked one after the other until one answers.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { RequestInput, RequestType } from "../protocol/request.ts";
import type { Received } from "../remoting/connection.ts";
import type { RemotingClient } from "../remoting/client.ts";

/** Codes of a nameserver that starts, stops or has too much to do. */
const BUSY: readonly number[] = [ResponseCode.SYSTEM_BUSY, ResponseCode.SERVICE_NOT_AVAILABLE];

/** Asks nameservers; the one that answered last is asked first. */
export class Nameservers {
  readonly addresses: readonly string[];
  readonly #client: RemotingClient;
  readonly #timeoutMs: number;
  #current = 0;

  /** `nameservers`: `host:port`, several joined by `;` or as a list. Throws `invalidArgument` if there is none. */
  constructor(client: RemotingClient, nameservers: string | readonly string[], timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    const list = typeof nameservers === "string" ? nameservers.split(";") : nameservers;
    this.addresses = list.map((address) => address.trim()).filter((address) => address !== "");
    if (this.addresses.length === 0) {
      throw new RocketdError("invalidArgument", "Cannot look for brokers: no nameserver is given", {
        field: "nameservers",
        value: nameservers,
        allowed: "host:port, several joined by ;",
      });
    }
  }

  /** The answer of any of them, whatever its code. Throws `unavailable` or `timeout` when none of them answers. */
  async ask<R extends RequestType>(type: R, header: RequestInput<R>): Promise<Received<R>> {
    let failure: unknown, refusal: Received<R> | undefined;
    // Others may ask at the same time: each goes round once from where it began.
    const first = this.#current, { length } = this.addresses;
    for (let attempt = 0; attempt < length; attempt++) {
      const current = (first + attempt) % length;
      try {
        const answer = await this.#client.invoke(this.addresses[current]!, type, header, undefined, this.#timeoutMs);
        if (!BUSY.includes(answer.code)) {
          this.#current = current;
          return answer;
        }
        refusal = answer;
      } catch (error) {
        if (!(error instanceof RocketdError) || !error.retriable) throw error;
        failure = error;
      }
    }
    if (refusal !== undefined) return refusal;
    throw failure;
  }
}
