/**
 * Sends through ali-ons and receives it again in a group with a tag filter.
 * Arguments: module directory, host:port of the nameserver, topic, group. Prints JSON lines and a last `OK` or `FAIL`.
 */
import { createRequire } from "node:module";
import process from "node:process";
const [modules, nameSrv, topic, group] = process.argv.slice(2);
const { Consumer, Message, Producer } = createRequire(import.meta.url)(`${modules}/ali-ons`);

const COUNT = 40;
const quiet = { info() {}, warn() {}, debug() {}, error: (error) => process.stderr.write(`${error.stack || error}\n`) };
const common = { nameSrv, accessKeyId: "none", accessKeySecret: "none", logger: quiet, httpclient: {} };

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function body(n) {
  return n === COUNT - 1 ? `large ${"x".repeat(200000)}` : `Grüße, 世界 🚀 ${n}`;
}

async function send() {
  const producer = new Producer({ ...common, producerGroup: `${group}-producer` });
  await producer.ready();
  for (let n = 0; n < COUNT; n++) {
    const message = new Message(topic, n % 2 ? "TagA" : "TagB", body(n));
    message.keys = [`key-${n}`];
    const result = await producer.send(message);
    if (result.sendStatus !== "SEND_OK") throw new Error(`send ${n}: ${JSON.stringify(result)}`);
  }
  await producer.close();
  print({ what: "sent", messages: COUNT });
}

async function receive() {
  const consumer = new Consumer({ ...common, consumerGroup: group, consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET" });
  const received = new Map();
  await new Promise((resolve, reject) => {
    consumer.on("error", reject);
    // The client takes nothing but an async function.
    // deno-lint-ignore require-await
    consumer.subscribe(topic, "TagA", async (message) => {
      const n = Number(message.keys.slice(4));
      if (message.tags !== "TagA" || n % 2 === 0) reject(new Error(`filtered in: ${message.tags} ${message.keys}`));
      if (message.body.toString() !== body(n)) reject(new Error(`body of ${n} differs`));
      received.set(n, (received.get(n) || 0) + 1);
      if (received.size === COUNT / 2) resolve();
    });
  });
  await consumer.close();
  for (const [n, times] of received) if (times !== 1) throw new Error(`message ${n} came ${times} times`);
  print({ what: "received", messages: received.size });
}

setTimeout(() => {
  process.stdout.write("FAIL not done after three minutes\n", () => process.exit(1));
}, 180000);

send().then(receive).then(
  () => process.stdout.write("OK\n", () => process.exit(0)),
  (error) => process.stdout.write(`FAIL ${error.stack}\n`, () => process.exit(1)),
);
