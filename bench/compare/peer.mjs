// Send with node web-push, 100 at a time: `node peer.mjs JOB COUNT HOW`; prints JSON.
// HOW is `shown`, the call that its page shows, or `kept`: with an agent that keeps 100 connections.
import { readFileSync } from "node:fs";
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

await sent(100);
const before = process.cpuUsage();
const begun = performance.now();
const accepted = await sent(count);
const used = process.cpuUsage(before);
const seconds = (performance.now() - begun) / 1000;
console.log(JSON.stringify({ accepted, cpu: (used.user + used.system) / count, rate: count / seconds }));
