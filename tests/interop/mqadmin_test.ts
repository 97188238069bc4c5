import { assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { startSecured } from "./accounts.ts";
import { onJavaAndOurs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";
import { operate, PLAIN, type Scene } from "./mqadmin_run.ts";
import { outputShape } from "./mqadmin_shape.ts";
import { ACCESS_STEPS, EXCUSED, STEPS } from "./mqadmin_steps.ts";

const account = { accessKey: "tool-admin", secretKey: "tool-admin-secret" };
const ACCOUNTS = `globalWhiteRemoteAddresses: []
accounts:
- accessKey: ${account.accessKey}
  secretKey: ${account.secretKey}
  whiteRemoteAddress:
  admin: true
`;

/** A master that obeys the accounts in a file only. */
const SECURED: Scene = {
  steps: ACCESS_STEPS,
  account,
  async start(kind, namesrvAddr, stack) {
    return [stack.use(await startSecured({ namesrvAddr }, kind, ACCOUNTS)).node];
  },
};

/** Runs a scene against Java nodes and against ours, and compares the shapes of what is printed. */
async function compare(t: Deno.TestContext, scene: Scene): Promise<void> {
  const { java, ours } = await onJavaAndOurs((kind) => operate(kind, scene));
  for (const [index, { step, text, file }] of ours.entries()) {
    await t.step(`${index + 1}: ${step.run}`, () => {
      const known = java[index];
      if (known === undefined) throw new Error("the Java cluster did not get that far");
      assertEquals(outputShape(text, step), outputShape(known.text, step));
      assertEquals(file, known.file);
    });
  }
}

Deno.test({
  name: "mqadmin prints of our cluster what it prints of a Java one",
  ignore: !hasJava(),
  fn: (t) => compare(t, PLAIN),
});

Deno.test({
  name: "mqadmin prints of our broker with aclEnable what it prints of a Java one",
  ignore: !hasJava(),
  fn: (t) => compare(t, SECURED),
});

Deno.test({ name: "Every command of mqadmin is run, or excused with a reason", ignore: !hasJava() }, async () => {
  await using java = await JavaShell.start("server-4.9.7", "JSON", "127.0.0.1:1");
  const names = (await java.run("mqadmin-list")).map(({ name }) => String(name));
  const steps = [...STEPS, ...ACCESS_STEPS];
  const run = new Set(steps.flatMap((step) => "run" in step ? [step.run.split(" ")[0] as string] : []));
  assertEquals([...run, ...Object.keys(EXCUSED)].sort(), names.sort());
});
