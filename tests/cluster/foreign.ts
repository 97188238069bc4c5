/**
 * Another machine, as far as a node can tell: a network namespace with a cable to this one. It needs root.
 *
 * @module
 */

/** What a request was answered. */
export interface ForeignAnswer {
  readonly code: number;
  readonly remark?: string;
}

/** The name of a declared request, its header, and its body as text. */
export type ForeignRequest = readonly [name: string, header: Readonly<Record<string, unknown>>, body?: string];

async function run(...command: string[]): Promise<{ ok: boolean; text: string }> {
  const [program, ...args] = command;
  try {
    const { success, stdout, stderr } = await new Deno.Command(program!, { args }).output();
    return { ok: success, text: new TextDecoder().decode(success ? stdout : stderr) };
  } catch (error) {
    return { ok: false, text: String(error) };
  }
}

/** A namespace; it goes out of the world when it goes out of scope. */
export class ForeignMachine implements AsyncDisposable {
  private constructor(
    readonly name: string,
    /** How the foreign machine reaches this one. */
    readonly gateway: string,
    /** Whom this one sees. */
    readonly address: string,
  ) {}

  /** Makes one; undefined, with the reason, where that is not allowed. */
  static async make(): Promise<ForeignMachine | { readonly reason: string }> {
    const name = `rocketd-${Deno.pid}`, cable = `rd${Deno.pid}`;
    const net = `10.231.${Deno.pid % 251}`;
    const machine = new ForeignMachine(name, `${net}.1`, `${net}.2`);
    const steps = [
      `netns add ${name}`,
      `link add ${cable}a type veth peer name ${cable}b netns ${name}`,
      `addr add ${machine.gateway}/30 dev ${cable}a`,
      `link set ${cable}a up`,
      `-n ${name} addr add ${machine.address}/30 dev ${cable}b`,
      `-n ${name} link set ${cable}b up`,
    ];
    for (const step of steps) {
      const { ok, text } = await run("ip", ...step.split(" "));
      if (ok) continue;
      if (step !== steps[0]) await machine[Symbol.asyncDispose]();
      return { reason: `ip ${step}: ${text.trim()}` };
    }
    return machine;
  }

  /** Sends requests from there to a port of this machine, with `tls` over TLS. */
  async ask(port: number, requests: readonly ForeignRequest[], ...tls: ["tls"?]): Promise<ForeignAnswer[]> {
    const program = new URL("./foreign_client.ts", import.meta.url).pathname;
    const deno = [Deno.execPath(), "run", "-A", "--no-check", program];
    const asked = [`${this.gateway}:${port}`, JSON.stringify(requests), ...tls as string[]];
    const { ok, text } = await run("ip", "netns", "exec", this.name, ...deno, ...asked);
    if (!ok) throw new Error(text);
    return JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("ip", "netns", "del", this.name);
  }
}
