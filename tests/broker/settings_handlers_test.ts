/**
 * The settings of a broker, told and changed over the wire.
 *
 * @module
 */
import { settingsHandlers } from "../../src/broker/settings_handlers.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { GetBrokerConfig } from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";
import { Desk } from "./workshop.ts";

async function told(test: (desk: Desk) => Promise<void>): Promise<void> {
  const loaded = await loadSettings({ roles: ["master"], sets: ["brokerName=broker-a", "namesrvAddr=a:1;b:2"] });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const settings = loaded.settings.broker!;
  const desk = new Desk((table) => settingsHandlers(table, { settings }));
  try {
    await test(desk);
  } finally {
    await desk.close();
  }
}

Deno.test("GET_BROKER_CONFIG gives every setting as a line", () =>
  told(async (desk) => {
    const { code, header, body } = await desk.client().ask(GetBrokerConfig, {});
    const lines = new TextDecoder().decode(body).split("\n");
    for (const line of ["brokerName=broker-a", "namesrvAddr=a:1;b:2", "brokerRole=ASYNC_MASTER", "haMasterAddress="]) {
      assertEquals(lines.includes(line), true, line);
    }
    assertEquals([code, header.version], [0, '{"counter":0,"timestamp":0}']);
  }));
