"use strict";

const KEPT = 100;
const COLUMNS = ["subscribers", "accepted", "decrypted", "distinct", "doubled", "unreadable", "refused"];
const READINGS = { decrypted: "decrypted", unreadable: "did not decrypt", not_tried: "still encrypted", empty: "no body" };
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { useGrouping: true });
const spaced = (value) => number.format(value).replaceAll(",", "\u202f");
let newest = 0;

function row(name, tally) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  for (const column of COLUMNS) {
    const cell = document.createElement("td");
    cell.textContent = spaced(tally[column]);
    if (tally[column] > 0 && (column === "doubled" || column === "unreadable")) cell.className = "bad";
    line.append(cell);
  }
  return line;
}

function showCrowd({ kinds, total }) {
  const some = total.subscribers > 0;
  byId("no-crowd").hidden = some;
  byId("crowd-box").hidden = !some;
  byId("kinds").replaceChildren(...Object.entries(kinds).map(([kind, tally]) => row(kind.replaceAll("_", " "), tally)));
  byId("total").replaceChildren(row("Total", total));
}

function item(message) {
  const made = byId("message").content.cloneNode(true);
  const part = (selector) => made.querySelector(selector);
  part(".title").textContent = message.title || (message.payload ? "A message of another form" : "A message that is not readable here");
  part(".text").textContent = message.body || "";
  const time = part("time");
  const moment = new Date(message.at * 1000);
  time.dateTime = moment.toISOString();
  time.textContent = moment.toLocaleTimeString();
  part(".facts").textContent = [
    `${message.recipient} ${message.to}`,
    READINGS[message.reading],
    `${spaced(message.size)} bytes`,
    `TTL ${spaced(message.ttl)} s`,
    `urgency ${message.urgency}`,
    `delivery ${message.delivery}`,
  ].join(" · ");
  if (message.payload) part("pre").textContent = message.payload;
  else part("details").remove();
  return made;
}

function showMessages(messages) {
  if (messages.length === 0) return;
  newest = messages[0].n;
  byId("no-messages").hidden = true;
  const list = byId("messages");
  list.prepend(...messages.map(item));
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function refresh() {
  const live = byId("live");
  try {
    const [summary, { messages }] = await Promise.all([
      json("/subscribers/summary"),
      json(`/messages?limit=${KEPT}&after=${newest}`),
    ]);
    showCrowd(summary);
    showMessages(messages);
    if (live.className !== "on") live.textContent = "Live";
    live.className = "on";
  } catch {
    if (live.className !== "off") live.textContent = "The simulator does not answer. Start it again; this page goes on by itself.";
    live.className = "off";
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}

refresh();
