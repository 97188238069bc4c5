/**
 * Settings of a running node, changed by any text at all.
 *
 * @module
 */
import fc from "fast-check";
import { changeSettings, settingLines } from "../../src/config/live.ts";
import {
  type BrokerSettings,
  brokerSettings,
  checkSettings,
  escapeProperty,
  TABLES,
  unescapeProperty,
} from "../../src/config/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";

const LIMITS = { fixed: ["slaveTimeout"], refusalsMax: 10 };

function settings(): BrokerSettings {
  const env = { ROCKETD_ACCESS_KEY: "somebody", ROCKETD_SECRET_KEY: "not-told" };
  const loaded = checkSettings("", { roles: ["master"], env });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  return loaded.settings.broker!;
}

Deno.test("whatever is sent, either all of it was a change that is allowed, or nothing changed", () => {
  const names = Object.keys(brokerSettings) as (keyof BrokerSettings)[];
  const key = fc.oneof(
    fc.constantFrom<string>(...names, "rocketmqHome", "__proto__", "constructor", "toString"),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom("true", "1", "100", "0", "-1", "/etc", "04", "info", "99999999999"),
    fc.string({ unit: "binary" }),
  );
  const line = fc.tuple(key, fc.constantFrom("=", ":", " = ", ""), value).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
      const live = settings(), before = settings();
      const changed = changeSettings("broker", live, lines.join("\n"), LIMITS);
      for (const name of names) {
        if (live[name] === before[name] || String(live[name]) === String(before[name])) continue;
        const setting = TABLES.broker[name]!;
        assert(changed.ok && setting.hot === true && name !== "slaveTimeout", name);
        assert(setting.parse(setting.format(live[name])) !== undefined, name);
        assert(changed.changes.some((change) => change.name === name));
      }
      if (!changed.ok) {
        assert(changed.refusals.length > 0 && changed.refusals.length <= LIMITS.refusalsMax);
        for (const { message } of changed.refusals) assert(!/\p{Cc}/u.test(message), message);
      }
      assertEquals(Object.keys(live), Object.keys(before));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("every setting that may change can be changed to what it is, and told again", () => {
  const live = settings();
  for (const [name, { hot, format }] of Object.entries(TABLES.broker)) {
    if (hot !== true || name === "slaveTimeout") continue;
    const text = format(live[name as keyof BrokerSettings]);
    assertEquals(changeSettings("broker", live, `${name}=${text}`, LIMITS), { ok: true, changes: [] }, name);
  }
});

Deno.test("what is told of the settings reads back as the same settings, without the secret", () => {
  const before = settings();
  const text = settingLines("broker", before);
  assert(!text.includes("not-told") && text.includes("aclAccessKey=somebody"));
  const again = checkSettings(text.replace(/^aclAccessKey=.*\n/m, ""), { roles: ["master"], file: "broker.conf" });
  assert(again.ok);
  assertEquals(again.settings.broker, { ...before, aclAccessKey: "", aclSecretKey: "" });
});

Deno.test("every text goes through a line of properties and comes back", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
    const line = escapeProperty(value);
    assert(/^[ -~]*$/.test(line));
    assertEquals(unescapeProperty(line), value);
  }));
});
