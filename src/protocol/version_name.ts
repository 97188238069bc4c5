/**
 * Names of the versions that peers say they are: `MQVersion` of RocketMQ, whose table is the same in 4.1.0 to 5.x.
 *
 * @module
 */

/** Ordinals of 4.0.0 and 5.0.0; each minor version has 20, each patch two: the snapshot, then the release. */
const V4_0_0 = 213;
const V5_0_0 = 413;
/** `HIGHER_VERSION`, which stands for all that follow. */
const HIGHER_VERSION = 612;

/** `V4_9_7`, `V4_1_0_SNAPSHOT`; of versions before 4.0, whose ordinals follow no rule, `V3 (121)`. */
export function versionName(ordinal: number): string {
  if (ordinal >= HIGHER_VERSION) return "HIGHER_VERSION";
  if (ordinal < V4_0_0 - 1) return `V3 (${ordinal})`;
  const major = ordinal < V5_0_0 - 1 ? 4 : 5;
  const beyond = ordinal - (major === 4 ? V4_0_0 : V5_0_0) + 1;
  const [minor, rest] = [Math.floor(beyond / 20), beyond % 20];
  return `V${major}_${minor}_${Math.floor(rest / 2)}${rest % 2 === 0 ? "_SNAPSHOT" : ""}`;
}
