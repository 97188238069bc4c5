/**
 * What a consumer knows of the messages it holds: which offset counts as consumed, whatever the order they end in.
 *
 * @module
 */
import type { ReceivedMessage } from "../../../src/client/message.ts";
import { ProcessQueue } from "../../../src/client/consumer/process_queue.ts";
import { assertEquals } from "../../../src/std.ts";
import { received } from "../messages.ts";

function holding(count: number, from = 0): { queue: ProcessQueue; messages: ReceivedMessage[] } {
  const messages = Array.from({ length: count }, (_, i) => received({ queueOffset: from + i }));
  const queue = new ProcessQueue(from);
  queue.add(messages, from + count);
  return { queue, messages };
}

const offsets = (messages: readonly ReceivedMessage[]) => messages.map(({ queueOffset }) => queueOffset);

Deno.test("messages that end in any order count up to the oldest that has not ended", () => {
  const { queue, messages } = holding(5, 10);
  assertEquals(offsets(queue.take(4)), [10, 11, 12, 13]);
  queue.finish([messages[1]!, messages[3]!]);
  assertEquals([queue.consumed, queue.count], [10, 3]);
  queue.finish([messages[0]!]);
  assertEquals([queue.consumed, queue.count, queue.span], [12, 2, 2]);
  queue.finish([messages[2]!]);
  assertEquals([queue.consumed, queue.hasMore], [14, true]);
  queue.finish(queue.take(9));
  assertEquals([queue.consumed, queue.count, queue.bytes, queue.hasMore], [15, 0, 0, false]);
});

Deno.test("what a filter dropped behind the last message counts as consumed once that one is done", () => {
  const { queue, messages } = holding(1);
  queue.add([], 100);
  assertEquals([queue.consumed, queue.next], [0, 100]);
  queue.take(1);
  queue.finish(messages);
  assertEquals(queue.consumed, 100);
});

Deno.test("a message that is done twice, or came twice, counts once", () => {
  const { queue, messages } = holding(2);
  queue.add(messages, 2);
  assertEquals(queue.count, 2);
  queue.take(2);
  queue.finish([messages[0]!]);
  queue.finish([messages[0]!]);
  assertEquals([queue.count, queue.consumed], [1, 1]);
});

Deno.test("messages that are put back come again in their order, and those before them stay handed out", () => {
  const { queue, messages } = holding(4);
  queue.take(3);
  queue.putBack(messages.slice(1, 3));
  assertEquals(offsets(queue.take(9)), [1, 2, 3]);
  queue.putBack();
  assertEquals(offsets(queue.take(2)), [0, 1]);
  queue.finishTaken();
  assertEquals([queue.consumed, offsets(queue.take(9))], [2, [2, 3]]);
});

Deno.test("a message that is put back comes alone: those behind it stay in the hands that they are in", () => {
  const { queue, messages } = holding(4);
  queue.take(3);
  queue.putBack([messages[0]!]);
  assertEquals(offsets(queue.take(9)), [0, 3]);
  queue.putBack([messages[1]!]);
  queue.finishTaken();
  assertEquals([queue.consumed, queue.count, offsets(queue.take(9))], [1, 1, [1]]);
});

Deno.test("a message that is done is not handed out again with those before it that are put back", () => {
  const { queue, messages } = holding(3);
  queue.take(3);
  queue.finish([messages[1]!]);
  queue.putBack([messages[0]!, messages[2]!]);
  assertEquals(offsets(queue.take(1)), [0]);
  assertEquals(offsets(queue.take(9)), [2]);
  queue.putBack();
  queue.finish([messages[2]!]);
  assertEquals([offsets(queue.take(9)), queue.hasMore], [[0], false]);
});

Deno.test("after a move nothing of what was held counts any more", () => {
  const { queue, messages } = holding(3);
  queue.take(2);
  queue.moveTo(1);
  queue.add([received({ queueOffset: 1 })], 2);
  queue.finish(messages);
  assertEquals([queue.consumed, queue.count], [1, 1]);
});

Deno.test("the oldest message is overdue once it was handed out that long ago", () => {
  const { queue, messages } = holding(2);
  assertEquals(queue.overdue(99), undefined);
  queue.take(1, 100);
  assertEquals([queue.overdue(99), queue.overdue(100)], [undefined, messages[0]]);
});

Deno.test("a queue that is read for long stays small, and finds its messages", () => {
  const queue = new ProcessQueue(0);
  for (let offset = 0; offset < 5_000; offset++) {
    queue.add([received({ queueOffset: offset })], offset + 1);
    if (offset >= 10) queue.finish(queue.take(1));
  }
  assertEquals([queue.count, queue.consumed], [10, 4_990]);
});
