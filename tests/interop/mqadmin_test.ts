import { assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { JavaShell } from "./java_shell.ts";
import { operate } from "./mqadmin_run.ts";
import { outputShape } from "./mqadmin_shape.ts";
import { EXCUSED, STEPS } from "./mqadmin_steps.ts";

Deno.test({ name: "mqadmin prints of our cluster what it prints of a Java one", ignore: !hasJava() }, async (t) => {
  const [java, ours] = await Promise.all([operate("java"), operate("rocketd")]);
  for (const [index, { step, text, file }] of ours.entries()) {
    await t.step(`${index + 1}: ${step.run}`, () => {
      const known = java[index];
      if (known === undefined) throw new Error("the Java cluster did not get that far");
      assertEquals(outputShape(text, step), outputShape(known.text, step));
      assertEquals(file, known.file);
    });
  }
});

Deno.test({ name: "Every command of mqadmin is run, or excused with a reason", ignore: !hasJava() }, async () => {
  await using java = await JavaShell.start("server-4.9.7", "JSON", "127.0.0.1:1");
  const names = (await java.run("mqadmin-list")).map(({ name }) => String(name));
  const run = new Set(STEPS.flatMap((step) => "run" in step ? [step.run.split(" ")[0] as string] : []));
  assertEquals([...run, ...Object.keys(EXCUSED)].sort(), names.sort());
});
