/**
 * A store, the way into it and its delayed messages, on a clock moved by hand and a disk that can fail.
 *
 * @module
 */
import { Delays } from "../../src/broker/delays.ts";
import { Intake } from "../../src/broker/intake.ts";
import { decodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";
import { SystemTopic } from "../../src/protocol/names.ts";
import type { GetResult, MessageStore, NewMessage, PutResult, StoreOptions } from "../../src/store/mod.ts";
import { Bench, message, names } from "../store/kit.ts";
import { statsOf } from "./workshop.ts";

const decoder = new TextDecoder(), encoder = new TextEncoder();

/** What becomes of a delivery that a test does not want to reach the store. */
export type Refuse = (message: NewMessage) => Pick<PutResult, "status"> | undefined;

/** The topic that {@linkcode DelayBench.send} sends to. */
export const TOPIC = "T";

/** Outlives the stores that are opened in it; delays are in milliseconds. */
export class DelayBench {
  readonly place = new Bench();
  store!: MessageStore;
  intake!: Intake;
  delays!: Delays;
  /** Deliveries that were asked for since the last step. */
  puts = 0;
  /** The most deliveries that one step of the clock brought. */
  putsMost = 0;
  refuse: Refuse = () => undefined;
  /** May change what is read from an offset of the schedule topic on. */
  found: (found: GetResult | Promise<GetResult>, offset: number) => GetResult | Promise<GetResult> = (found) => found;
  /** What is added to the time; timers do not notice when it changes. */
  shift = 0;

  constructor() {
    const { clock } = this.place;
    const unshifted = clock.now.bind(clock);
    clock.now = () => unshifted() + this.shift;
    // Like a real timer's, so that what waits for no time at all comes between two of them.
    const after = clock.after.bind(clock);
    clock.after = (ms, fn) => after(Math.max(ms, 1), fn);
  }

  /** Opens or opens again; what the process before had not saved is lost. */
  async open(delayLevels: number[], options: Partial<StoreOptions> = {}): Promise<void> {
    const { clock, disk, dir } = this.place;
    this.store = await this.place.open({ delayLevels, ...options });
    this.intake = new Intake(this.store);
    const { intake } = this;
    this.delays = new Delays({
      settings: { storePathRootDir: dir, flushDelayOffsetInterval: 10_000 },
      store: this.#storeWithHook(),
      intake: { deliver: (message, done) => this.#deliver(intake, message, done) },
      stats: statsOf(clock),
      disk,
      clock,
    });
    this.delays.start();
  }

  #storeWithHook(): MessageStore {
    const { store } = this;
    const get: MessageStore["get"] = (...wanted) => this.found(store.get(...wanted), wanted[2]);
    return new Proxy(store, {
      get: (_, name) => {
        if (name === "get") return get;
        const value = Reflect.get(store, name, store);
        return typeof value === "function" ? value.bind(store) : value;
      },
    });
  }

  #deliver(intake: Intake, message: NewMessage, done: (result: PutResult) => void): void {
    this.puts++;
    const refused = this.refuse(message);
    if (refused === undefined) return intake.deliver(message, done);
    done({ logOffset: -1, size: 0, topic: "", queueId: -1, queueOffset: -1, storeTimestamp: 0, ...refused });
  }

  async close(): Promise<void> {
    await this.delays.close();
    await this.store.close();
  }

  /** As SIGKILL ends a process. */
  async kill(): Promise<void> {
    this.place.disk.killed();
    await settled();
  }

  /** Sends a message with a delay level to queue 1 of the topic. */
  async send(level: number | string, body: string, given: Partial<NewMessage> = {}): Promise<PutResult> {
    const properties = `UNIQ_KEY\x01${body}\x02DELAY\x01${level}\x02TAGS\x01t`;
    return await new Promise((resolve) => {
      this.intake.put(message({ topic: TOPIC, queueId: 1, body: encoder.encode(body), properties, ...given }), resolve);
    });
  }

  /** Lets time pass in steps, and what happens in each come to its end. */
  async go(ms: number, step = 10): Promise<void> {
    const { clock } = this.place;
    const end = clock.time + ms;
    do {
      this.puts = 0;
      clock.advance(Math.min(step, end - clock.time));
      await settled();
      this.putsMost = Math.max(this.putsMost, this.puts);
    } while (clock.time < end);
  }

  /** Lets time pass until so many messages were delivered to queue 1 of the topic. */
  async goUntil(count: number): Promise<void> {
    for (let i = 0; this.store.maxOffset(TOPIC, 1) < count; i++) {
      if (i > 1000) throw new Error(`only ${this.store.maxOffset(TOPIC, 1)} of ${count} messages were delivered`);
      await this.go(1);
    }
  }

  /** What was delivered to a queue. */
  async delivered(topic = TOPIC, queueId = 1): Promise<MessageRecord[]> {
    const all: MessageRecord[] = [];
    for (let offset = this.store.minOffset(topic, queueId); offset < this.store.maxOffset(topic, queueId);) {
      const { records, nextBeginOffset } = await this.store.get(topic, queueId, offset, 32);
      all.push(...records.map((record) => decodeRecord(record.slice())));
      offset = nextBeginOffset;
    }
    return all;
  }

  async bodies(topic = TOPIC, queueId = 1): Promise<string[]> {
    return (await this.delivered(topic, queueId)).map(({ body }) => decoder.decode(body));
  }

  /** How many messages wait in a level's queue or have been through it. */
  scheduled(level: number): number {
    return this.store.maxOffset(SystemTopic.SCHEDULE, level - 1);
  }

  /** The file as it is, undefined when there is none. */
  file(): string | undefined {
    try {
      return Deno.readTextFileSync(this.place.path("config/delayOffset.json"));
    } catch {
      return undefined;
    }
  }

  writeFile(text: string): void {
    Deno.mkdirSync(this.place.path("config"), { recursive: true });
    Deno.writeTextFileSync(this.place.path("config/delayOffset.json"), text);
  }

  [Symbol.dispose](): void {
    this.place[Symbol.dispose]();
  }
}

/** Delays of three levels, ms. */
export const LEVELS = [1000, 5000, 60_000];

/** The bodies `mFROM` … before `mTO`. */
export function span(from: number, to: number): string[] {
  return names(to).slice(from);
}

/** Lets everything come to its end that needs neither clock nor disk. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
