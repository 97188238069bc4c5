/**
 * Headers of requests that many tests make.
 *
 * @module
 */
import type { RequestInput } from "../src/protocol/request.ts";
import type { SendMessageV2 } from "../src/protocol/requests.ts";

type SendHeader = RequestInput<typeof SendMessageV2>;

/** The header of a send: of a plain message to queue 0 of T, but for what is given. */
export function sendHeader(given: Partial<SendHeader> = {}): SendHeader {
  return {
    producerGroup: "P",
    topic: "T",
    defaultTopic: "TBW102",
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: Date.now(),
    flag: 0,
    ...given,
  };
}
