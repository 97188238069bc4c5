import { hasJava } from "../java.ts";
import { clusterKind } from "./cluster.ts";
import { pair } from "./slave_pair.ts";

/** Under `CLUSTER=java` both are Java's, which proves the test itself. */
const OURS = clusterKind() === "java" ? "java" : "rocketd";

Deno.test({
  name: `a slave of ${OURS} follows a master of java`,
  ignore: !hasJava(),
  fn: (t) => pair(t, "java", OURS),
});
