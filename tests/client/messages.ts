/**
 * Received messages for tests of consumers' parts.
 *
 * @module
 */
import { ReceivedMessage } from "../../src/client/message.ts";
import { decodeRecord, encodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";

/** A message as a pull brings it. */
export function received(fields: Partial<Omit<MessageRecord, "totalSize" | "bodyCrc">> = {}): ReceivedMessage {
  const record = {
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: new Uint8Array(8),
    storeTimestamp: 0,
    storeHost: new Uint8Array(8),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(),
    topic: "T",
    properties: "",
    ...fields,
  };
  return new ReceivedMessage(decodeRecord(encodeRecord(record)), "broker-a");
}
