/**
 * The places of consumer groups in the bit maps that RocketMQ's brokers can keep of filtered messages (BloomFilter
 * 4.9.7). Our store keeps no such maps; but config/consumerFilter.json holds the places, and a Java broker throws away a
 * file whose places do not fit.
 *
 * @module
 */

const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;
const BLOCK_BYTES = 16;

const encoder = new TextEncoder();

/** Where the bits of a text lie, as consumerFilter.json has it. */
export interface BloomBits {
  readonly bitNum: number;
  readonly bitPos: readonly number[];
}

/** Gives each text its places among a number of bits. */
export class BloomFilter {
  readonly bitNum: number;
  readonly #hashes: number;

  /** `errorRate` in per cent: how often a text may be thought to be there that is not; `texts`: how many there may be. */
  constructor(errorRate: number, texts: number) {
    const rate = errorRate / 100;
    this.#hashes = Math.ceil(Math.log(rate) / Math.log(0.5));
    const bits = Math.ceil(texts * (Math.log(1 / rate) / Math.log(2)) * (Math.log(Math.E) / Math.log(2)));
    this.bitNum = 8 * Math.ceil(bits / 8);
  }

  /** The places of a text. */
  bitsOf(text: string): BloomBits {
    const hash = murmur3(encoder.encode(text));
    const first = Number(BigInt.asIntN(32, hash));
    const second = Number(BigInt.asIntN(32, hash >> 32n));
    const bitPos = Array.from({ length: this.#hashes }, (_, i) => {
      const mixed = (first + Math.imul(i + 1, second)) | 0;
      return (mixed < 0 ? ~mixed : mixed) % this.bitNum;
    });
    return { bitNum: this.bitNum, bitPos };
  }
}

/** The first half of the 128-bit Murmur3 hash (x64, seed 0) of some bytes. */
function murmur3(bytes: Uint8Array): bigint {
  let h1 = 0n, h2 = 0n;
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    const k1 = rotated(view.getBigUint64(at, true) * C1, 31n) * C2 & MASK;
    const k2 = rotated(view.getBigUint64(at + 8, true) * C2, 33n) * C1 & MASK;
    h1 ^= k1;
    if (at + BLOCK_BYTES > bytes.length) {
      h2 ^= k2; // The rest of less than a block.
      break;
    }
    h1 = ((rotated(h1, 27n) + h2) * 5n + 0x52dce729n) & MASK;
    h2 = ((rotated(h2 ^ k2, 31n) + h1) * 5n + 0x38495ab5n) & MASK;
  }
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  return (finished(h1) + finished(h2)) & MASK;
}

function rotated(value: bigint, by: bigint): bigint {
  const low = value & MASK;
  return ((low << by) | (low >> (64n - by))) & MASK;
}

function finished(value: bigint): bigint {
  let mixed = value;
  mixed = (mixed ^ (mixed >> 33n)) * 0xff51afd7ed558ccdn & MASK;
  mixed = (mixed ^ (mixed >> 33n)) * 0xc4ceb9fe1a85ec53n & MASK;
  return mixed ^ (mixed >> 33n);
}
