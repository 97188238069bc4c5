/**
 * Traces: what became of each message, as messages of a topic of their own that Java's console and `QueryMsgTraceById`
 * read. Their text is that of `TraceDataEncoder` of RocketMQ 4.9.7: fields end with 0x01, traces with 0x02.
 *
 * @module
 */
import { PropertyName } from "../../protocol/properties.ts";
import type { ConsumeCall, ConsumeHook, ConsumeOutcome, ConsumeReturnType } from "../consumer/consume_hooks.ts";
import type { SendAttempt, SendHook, SendOutcome, TransactionEnd } from "../hooks.ts";
import { UniqueKeys } from "../identity.ts";
import type { ReceivedMessage } from "../message.ts";
import type { Trace, TraceDispatcher } from "./trace_dispatcher.ts";

const FIELD_END = "\u0001";
const TRACE_END = "\u0002";
/** The region of brokers that name none. */
const DEFAULT_REGION = "DefaultRegion";
/** Ordinals of `MessageType`. */
const KINDS: Readonly<Record<SendAttempt["kind"] | "commit", number>> = { normal: 0, half: 1, commit: 2, delay: 3 };
/** Ordinals of `ConsumeReturnType`; 3 is for listeners that return nothing, which for ours is success. */
const RETURN_TYPES: Readonly<Record<ConsumeReturnType, number>> = { SUCCESS: 0, TIME_OUT: 1, EXCEPTION: 2, FAILED: 4 };
/** What Java writes when a message has no keys; nothing at all would confuse its reader. */
const NO_KEYS = "null";
const STATES = { commit: "COMMIT_MESSAGE", rollback: "ROLLBACK_MESSAGE", unknown: "UNKNOW" } as const;

/** A producer's hook that traces each message that was stored where traces are wanted, and each transaction's end. */
export function traceHook(dispatcher: Pick<TraceDispatcher, "append">, now: () => number = Date.now): SendHook {
  return {
    afterSend: (attempt, outcome) => {
      const { result } = outcome;
      if (result?.regionId === undefined || result.traceOn === false) return;
      dispatcher.append(traceOfSend(attempt, outcome));
    },
    transactionEnded: (end) => dispatcher.append(traceOfEnd(end, now())),
  };
}

function traceOfSend(attempt: SendAttempt, { result, costMs }: SendOutcome): Trace {
  const { group, topic, message, uniqueKey, brokerAddress, bodyLength, kind, began } = attempt;
  const keys = message.keys ?? [];
  const status = String(result?.status === "SEND_OK");
  const place = [topic, uniqueKey, message.tag ?? "", keys.join(" "), brokerAddress, bodyLength];
  const text = line(
    "Pub",
    began,
    result?.regionId,
    group,
    ...place,
    costMs,
    KINDS[kind],
    result?.offsetMessageId,
    status,
  );
  return { text, keys: [uniqueKey, ...keys] };
}

function traceOfEnd(end: TransactionEnd, now: number): Trace {
  const { group, topic, tag = "", keys, uniqueKey, transactionId, brokerAddress, state, fromCheck } = end;
  const place = [topic, uniqueKey, tag, keys.join(" "), brokerAddress];
  const ending = [KINDS.commit, transactionId, STATES[state], fromCheck];
  const text = line("EndTransaction", now, DEFAULT_REGION, group, ...place, ...ending);
  return { text, keys: [uniqueKey, ...keys] };
}

/** What both traces of a consumed message tell. */
interface Consumed {
  readonly id: string;
  readonly keys: readonly string[];
  readonly keysText: string;
}

/**
 * A consumer's hook that traces each message that wants it before it is consumed, and after. Messages of the traces' own
 * topic leave none: each would cause two more.
 */
export function consumeTraceHook(dispatcher: Pick<TraceDispatcher, "append" | "topic">): ConsumeHook {
  const ids = new UniqueKeys();
  const traced = new WeakMap<ConsumeCall, { requestId: string; all: readonly Consumed[] }>();
  const append = ({ id, keys }: Consumed, text: string) => dispatcher.append({ text, keys: [id, ...keys] });
  return {
    beforeConsume: (call) => {
      const requestId = ids.next();
      const all = call.messages.filter((message) => wantsTrace(message, dispatcher.topic)).map((message) => {
        const consumed = consumedOf(message);
        append(consumed, lineBefore(call, requestId, message, consumed));
        return consumed;
      });
      if (all.length > 0) traced.set(call, { requestId, all });
    },
    afterConsume: (call, outcome) => {
      const { requestId, all } = traced.get(call) ?? { requestId: "", all: [] };
      for (const consumed of all) append(consumed, lineAfter(call, requestId, outcome, consumed));
    },
  };
}

/** These hooks, and one for traces where they are wanted. */
export function withConsumeTraces(
  hooks: readonly ConsumeHook[] = [],
  traces: TraceDispatcher | undefined,
): readonly ConsumeHook[] {
  return traces === undefined ? hooks : [...hooks, consumeTraceHook(traces)];
}

function wantsTrace({ topic, properties }: ReceivedMessage, traceTopic: string): boolean {
  return topic !== traceTopic && properties.get(PropertyName.TRACE_ON) !== "false";
}

function consumedOf({ uniqueKey, offsetMessageId, keys }: ReceivedMessage): Consumed {
  return { id: uniqueKey ?? offsetMessageId, keys, keysText: keys.join(" ") || NO_KEYS };
}

function lineBefore(
  { began, group }: ConsumeCall,
  requestId: string,
  { properties, reconsumeTimes }: ReceivedMessage,
  { id, keysText }: Consumed,
): string {
  const region = properties.get(PropertyName.MSG_REGION) ?? DEFAULT_REGION;
  return line("SubBefore", began, region, group, requestId, id, reconsumeTimes, keysText);
}

/** The time is each message's share of the call. */
function lineAfter(
  { began, group, messages }: ConsumeCall,
  requestId: string,
  { costMs, isSuccess, returnType }: ConsumeOutcome,
  { id, keysText }: Consumed,
): string {
  const share = Math.floor(costMs / messages.length);
  const end = [RETURN_TYPES[returnType], began + costMs, group];
  return line("SubAfter", requestId, id, share, isSuccess, keysText, ...end);
}

function line(...fields: unknown[]): string {
  return fields.join(FIELD_END) + TRACE_END;
}
