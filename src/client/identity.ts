/**
 * What a client calls itself and its messages: client ids, and the UNIQ_KEY of each message.
 *
 * @module
 */
import { toHex } from "../protocol/message_id.ts";
import { parseIp } from "../protocol/host.ts";

/** The address of this machine that others most likely see: IPv4 before IPv6, none of the loopback if there is another. */
export function localIp(interfaces: readonly { family: string; address: string }[] = interfacesSeen()): string {
  const usable = interfaces.filter(({ address }) => !address.startsWith("127.") && !/^(::1$|fe80:)/i.test(address));
  const found = usable.find(({ family }) => family === "IPv4") ?? usable.find(({ family }) => family === "IPv6");
  return found?.address ?? "127.0.0.1";
}

/** None in a program that may not look (`--allow-sys=networkInterfaces`); nobody is asked to allow it. */
function interfacesSeen(): readonly { family: string; address: string }[] {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  return state === "granted" ? Deno.networkInterfaces() : [];
}

/** A client id as Java's: `ip@pid#number`. Different for each client, also where ip and process id are the same. */
export function newClientId(): string {
  return `${localIp()}@${Deno.pid}#${Date.now()}${randomInt32()}`;
}

/**
 * Makes the UNIQ_KEY of messages: upper-case hex of ip, process id (16 bits), a number that is this maker's own (32
 * bits; a class loader's hash in Java), milliseconds since the local month began (32 bits), a counter (16 bits). Times
 * that come again, since the clock was set back, get another number of the maker.
 */
export class UniqueKeys {
  readonly #machine: string;
  #prefix: string;
  #monthStart = 0;
  #monthEnd = 0;
  #counter = 0;
  #time = -1;
  #timeText = "";

  constructor(ip: string = localIp(), pid: number = Deno.pid, own: number = randomInt32()) {
    const address = parseIp(ip) ?? new Uint8Array(4);
    this.#machine = toHex(address) + hex(pid & 0xffff, 4);
    this.#prefix = this.#machine + hex(own >>> 0, 8);
  }

  /** The next key, for a message born at `now` (ms). */
  next(now: number = Date.now()): string {
    if (now !== this.#time) {
      if (now < this.#time) this.#prefix = this.#machine + hex(randomInt32(), 8);
      if (now >= this.#monthEnd || now < this.#monthStart) this.#enterMonth(now);
      this.#time = now;
      this.#timeText = hex((now - this.#monthStart) >>> 0, 8);
    }
    const counter = this.#counter;
    this.#counter = (counter + 1) & 0xffff;
    return this.#prefix + this.#timeText + hex(counter, 4);
  }

  #enterMonth(now: number): void {
    const date = new Date(now);
    this.#monthStart = new Date(date.getFullYear(), date.getMonth(), 1).getTime();
    this.#monthEnd = new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime();
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

function randomInt32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
