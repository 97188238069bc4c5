/**
 * A consumer's figures of the last minute and hour.
 *
 * @module
 */
import { ConsumeFigures } from "../../../src/client/consumer/consume_figures.ts";
import { assertEquals } from "../../../src/std.ts";

const START = 1_795_390_200_000;

Deno.test("figures are of the last minute, failures of the last hour, and each topic has its own", () => {
  const figures = new ConsumeFigures();
  figures.pulled("T", 10, 32, START);
  figures.pulled("T", 30, 28, START + 10_000);
  figures.consumed("T", 4, 6, 0, START + 10_000);
  figures.consumed("T", 8, 0, 3, START + 20_000);
  assertEquals(figures.status("T", START + 30_000), {
    pullRT: 20,
    pullTPS: 1,
    consumeRT: 6,
    consumeOKTPS: 0.1,
    consumeFailedTPS: 0.05,
    consumeFailedMsgs: 3,
  });
  const none = { pullRT: 0, pullTPS: 0, consumeRT: 0, consumeOKTPS: 0, consumeFailedTPS: 0 };
  assertEquals(figures.status("T", START + 120_000), { ...none, consumeFailedMsgs: 3 });
  assertEquals(figures.status("T", START + 4_000_000), { ...none, consumeFailedMsgs: 0 });
  assertEquals(figures.status("Other", START), { ...none, consumeFailedMsgs: 0 });
});

Deno.test("what is older than a minute drops out step by step", () => {
  const figures = new ConsumeFigures();
  for (let second = 0; second < 60; second++) figures.consumed("T", 1, 1, 0, START + second * 1_000);
  const tps = (second: number) => Math.round(figures.status("T", START + second * 1_000).consumeOKTPS * 60);
  assertEquals([tps(59), tps(60), tps(75), tps(100), tps(110)], [60, 50, 40, 10, 0]);
});
