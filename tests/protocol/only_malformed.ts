/**
 * For properties of decoders: whatever they are given, they decode it or say `malformed`.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";

/** Runs a decoder; anything thrown but `malformed` is thrown on. */
export function onlyMalformed(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof RocketdError) || error.code !== "malformed") throw error;
  }
}
