/**
 * Traces: what became of each message, as messages of a topic of their own that Java's console and `QueryMsgTraceById`
 * read. Their text is that of `TraceDataEncoder` of RocketMQ 4.9.7: fields end with 0x01, traces with 0x02.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { TRACE_BYTES_MAX, TRACES_AT_ONCE, TRACES_HELD_MAX } from "../limits.ts";
import type { SendAttempt, SendHook, SendOutcome, TransactionEnd } from "./hooks.ts";
import type { OutgoingMessage } from "./message.ts";

const log = getLogger(["rocketd", "client"]);

const FIELD_END = "\u0001";
const TRACE_END = "\u0002";
/** The region of brokers that name none. */
const DEFAULT_REGION = "DefaultRegion";
/** How long traces gather before they are sent, ms (`pollingTimeMil`). */
const GATHER_MS = 100;

/** Ordinals of `MessageType`. */
const KINDS: Readonly<Record<SendAttempt["kind"] | "commit", number>> = { normal: 0, half: 1, commit: 2, delay: 3 };
const STATES = { commit: "COMMIT_MESSAGE", rollback: "ROLLBACK_MESSAGE", unknown: "UNKNOW" } as const;

/** Text of a trace, and the keys by which it is found. */
export interface Trace {
  readonly text: string;
  readonly keys: readonly string[];
}

/** Who brings traces to brokers. */
export interface TraceSink {
  send(message: OutgoingMessage): Promise<unknown>;
  close(): Promise<void>;
}

/** Gathers traces and sends them. What cannot be kept up with, or sent, is dropped: messages come first. */
export class TraceDispatcher {
  readonly #topic: string;
  readonly #open: () => TraceSink;
  #sink: TraceSink | undefined;
  #held: Trace[] = [];
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  /** `open`: called once, for the first trace. */
  constructor(topic: string, open: () => TraceSink) {
    this.#topic = topic;
    this.#open = open;
  }

  /** Takes a trace; never throws. */
  append(trace: Trace): void {
    if (this.#closed) return;
    if (this.#held.length >= TRACES_HELD_MAX) {
      this.#dropped++;
      return;
    }
    this.#held.push(trace);
    if (this.#sending === undefined) this.#flushSoon();
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flush();
    await this.#sink?.close();
  }

  /** One after the other; a call meanwhile waits for the same. Never rejects. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#held.length > 0) this.#flushSoon();
    });
  }

  #flushSoon(): void {
    this.#timer ??= setTimeout(() => void this.#flush(), GATHER_MS);
  }

  async #sendAll(): Promise<void> {
    while (this.#held.length > 0) {
      const traces = this.#take();
      try {
        this.#sink ??= this.#open();
        const keys = [...new Set(traces.flatMap((trace) => trace.keys))];
        await this.#sink.send({ topic: this.#topic, keys, body: traces.map(({ text }) => text).join("") });
      } catch (error) {
        log.warn("cannot send {count} traces: {reason}", { count: traces.length, reason: messageOf(error) });
      }
    }
    if (this.#dropped > 0) log.warn("dropped {count} traces: they came too fast", { count: this.#dropped });
    this.#dropped = 0;
  }

  /** The next traces, as many as one message takes. */
  #take(): Trace[] {
    let length = 0, count = 0;
    for (const { text, keys } of this.#held) {
      // The keys are properties, of which a message can have less.
      length += text.length + keys.join(" ").length;
      if (count > 0 && (count >= TRACES_AT_ONCE || length > TRACE_BYTES_MAX)) break;
      count++;
    }
    return this.#held.splice(0, count);
  }
}

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

function line(...fields: unknown[]): string {
  return fields.join(FIELD_END) + TRACE_END;
}
