/**
 * Received messages for tests of consumers' parts.
 *
 * @module
 */
import { ReceivedMessage } from "../../src/client/message.ts";
import { decodeRecord, encodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";

type Fields = Partial<Omit<MessageRecord, "totalSize" | "bodyCrc">>;

/** A message as a pull brings it. */
export function received(fields: Fields = {}): ReceivedMessage {
  return new ReceivedMessage(decodeRecord(recordBytes(fields)), "broker-a");
}

/** The bytes of the same. */
export function recordBytes(fields: Fields = {}): Uint8Array {
  return encodeRecord({
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
  });
}
