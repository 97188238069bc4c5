/**
 * State files that are written slice by slice.
 *
 * @module
 */
import { encodeInTurns } from "../../src/broker/slices.ts";
import { StateFile } from "../../src/broker/state_file.ts";
import { STATE_SLICE_CHARACTERS } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { FaultyDisk } from "../../src/platform/faulty_disk.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { HandClock, inFolder, until } from "./workshop.ts";

/** Pieces of which each slice takes eight. */
const PIECE = STATE_SLICE_CHARACTERS / 8;

/** A file whose content is `count` pieces of one letter. */
function setUp(folder: string) {
  const clock = new HandClock(), disk = new FaultyDisk(denoDisk);
  const content = { letter: "a", count: 35 };
  /** How many pieces were asked for. */
  const taken = { pieces: 0 };
  function* pieces() {
    for (let i = 0; i < content.count; i++) {
      taken.pieces++;
      yield content.letter.repeat(PIECE);
    }
  }
  const form = {
    decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
    encode: () => new TextEncoder().encode([...pieces()].join("")),
  };
  const path = `${folder}/config/state.json`;
  const file = new StateFile(disk, path, form);
  const save = () => {
    file.touch();
    file.saveInTurns(clock, pieces());
  };
  const saved = () => new StateFile(disk, path, form).load();
  /** Lets turns pass until something holds. */
  const turns = (holds: () => boolean, what: string) =>
    until(() => {
      clock.go(1);
      return holds();
    }, what);
  return { clock, disk, content, taken, file, save, saved, turns, path };
}

Deno.test("A short state file is saved in the turn that asks for it", async () => {
  await inFolder((folder) => {
    const { content, save, saved } = setUp(folder);
    content.count = 7;
    save();
    assertEquals(saved(), "a".repeat(7 * PIECE));
  });
});

Deno.test("A great state file is saved a slice each turn, and is there as a whole or not at all", async () => {
  await inFolder(async (folder) => {
    const { clock, save, saved, taken, turns } = setUp(folder);
    save();
    assertEquals(taken.pieces, 8);
    clock.go(1);
    await Promise.resolve();
    assertEquals([taken.pieces, saved()], [16, undefined]);
    await turns(() => saved() !== undefined, "the file");
    assertEquals(saved(), "a".repeat(35 * PIECE));
  });
});

Deno.test("What changes while a great state file is being saved is saved by the next one, and nothing else is", async () => {
  await inFolder(async (folder) => {
    const { save, saved, turns, file, clock } = setUp(folder);
    save();
    save();
    await turns(() => saved() !== undefined, "the file");
    file.saveInTurns(clock, ["b"]);
    assertEquals(saved(), "b", "the second save had to wait");
    file.saveInTurns(clock, ["c"]);
    assertEquals(saved(), "b", "nothing has changed");
  });
  await inFolder(async (folder) => {
    const { save, saved, turns, file, clock } = setUp(folder);
    save();
    await turns(() => saved() !== undefined, "the file");
    file.saveInTurns(clock, ["c"]);
    assertEquals(saved(), "a".repeat(35 * PIECE), "nothing has changed");
  });
});

Deno.test("A save at once takes the place of one that goes on over several turns", async () => {
  await inFolder(async (folder) => {
    const { content, save, taken, turns, file, path } = setUp(folder);
    save();
    content.letter = "b";
    assert(file.save());
    const before = taken.pieces;
    let rounds = 0;
    await turns(() => ++rounds > 10, "turns");
    assertEquals(Deno.readTextFileSync(path), "b".repeat(35 * PIECE));
    assertEquals(taken.pieces, before);
  });
});

Deno.test("A save at once takes the place of one that waits for the disk", async () => {
  await inFolder(async (folder) => {
    const { content, disk, save, turns, file, path } = setUp(folder);
    let release = () => {};
    disk.holdSyncs = new Promise((resolve) => release = resolve);
    save();
    await turns(() => disk.syncs > 0, "the sync");
    content.letter = "b";
    assert(file.save());
    release();
    let rounds = 0;
    await turns(() => ++rounds > 10, "turns");
    assertEquals(Deno.readTextFileSync(path), "b".repeat(35 * PIECE));
    assert(!disk.existsSync(`${path}.bak`), "there was no content before");
  });
});

Deno.test("A power loss while a great state file is being saved leaves the content before it", async () => {
  await inFolder(async (folder) => {
    const { clock, content, disk, save, saved } = setUp(folder);
    content.count = 1;
    save();
    content.count = 35;
    content.letter = "b";
    save();
    clock.go(1);
    await Promise.resolve();
    disk.powerLoss();
    assertEquals(saved(), "a".repeat(PIECE));
  });
});

Deno.test("A great state file that the disk refuses is saved again", async () => {
  await inFolder(async (folder) => {
    const { clock, disk, file, save, saved, turns } = setUp(folder);
    disk.failWriteIn = 2;
    save();
    await turns(() => disk.failWriteIn === 0, "the fault");
    await new Promise((resolve) => setTimeout(resolve, 0));
    file.saveInTurns(clock, ["again"]);
    assertEquals(saved(), "again");
  });
});

Deno.test("A great text is made in turns, and is whole", async () => {
  const clock = new HandClock();
  const pieces = Array.from({ length: 35 }, (_, i) => String.fromCharCode(97 + i % 26).repeat(PIECE));
  let made: Uint8Array | undefined;
  encodeInTurns(pieces, clock).then((bytes) => made = bytes);
  let rounds = 0;
  await until(() => {
    clock.go(1);
    rounds++;
    return made !== undefined;
  }, "the text");
  assert(rounds >= 3);
  assertEquals(new TextDecoder().decode(made), pieces.join(""));
});
