// Send with node web-push, 100 at a time: `node peer.mjs JOB COUNT HOW`; waits for its start, prints JSON.
// HOW is `shown`, the call that its page shows, or `kept`: with an agent that keeps 100 connections.
import { readFileSync, readSync } from "node:fs";
import { Agent } from "node:https";
import { createRequire } from "node:module";

const webpush = createRequire(`${process.cwd()}/`)("web-push");
const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const count = Number(process.argv[3]);
const kept = () => ({ agent: new Agent({ keepAlive: true, maxSockets: 100, ca: readFileSync(job.ca_file) }) });
const options = {
  TTL: 3600,
  urgency: "normal",
  contentEncoding: "aes128gcm",
  ...(process.argv[4] === "kept" ? kept() : {}),
  vapidDetails: { subject: job.subject, publicKey: job.public_key, privateKey: job.private_key },
};

const send = async (number) => {
  const to = job.subscriptions[number % job.subscriptions.length];
  const topic = number.toString(16).padStart(32, "0");
  const answer = await webpush.sendNotification(to, job.payload, { ...options, topic });
  return answer.statusCode;
};

const sent = async (total) => {
  let next = 0;
  let accepted = 0;
  const worker = async () => {
    while (next < total) {
      if ((await send(next++)) === 201) accepted += 1;
    }
  };
  await Promise.all(Array.from({ length: 100 }, worker));
  return accepted;
};

// CPU seconds of this process and of those that it started, which the kernel counts in hundredths.
const used = () => {
  const { user, system } = process.cpuUsage();
  const stat = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ");
  return (user + system) / 1e6 + (Number(stat[13]) + Number(stat[14])) / 100;
};

await sent(100);
console.log("ready");
readSync(0, Buffer.alloc(1)); // all processes begin at once
const begun = used();
const accepted = await sent(count);
console.log(JSON.stringify({ accepted, cpu: used() - begun }));
