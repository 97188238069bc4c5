import { hasJava } from "../java.ts";
import { clusterKind } from "./cluster.ts";
import { pair } from "./slave_pair.ts";

Deno.test({
  name: "a slave of java follows a master of rocketd",
  // A pair of Java's is slave_of_java_test's.
  ignore: !hasJava() || clusterKind() === "java",
  fn: (t) => pair(t, "rocketd", "java"),
});
