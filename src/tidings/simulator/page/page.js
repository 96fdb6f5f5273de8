"use strict";

const KEPT = 100;
const REFUSALS_KEPT = 500;
// Enough for every kind of refusal that a run with all faults brings: one that is hidden is one nobody looks into.
const REFUSALS_SHOWN = 24;
const COLUMNS = ["subscribers", "accepted", "decrypted", "distinct", "doubled", "unreadable", "refused"];
const OF_BROWSERS = ["decrypted", "unreadable"];
const READINGS = { decrypted: "decrypted", plain: "nothing to decrypt", unreadable: "did not decrypt", not_tried: "still encrypted", empty: "no body" };
const UNREAD = {
  unreadable: "A message that did not decrypt",
  not_tried: "A message for a browser, which alone can read it",
  empty: "A message without a body",
};
const SERVICES = { strict: "strict", google: "Google", mozilla: "Mozilla", mozilla_android: "Mozilla on Android", apple: "Apple", microsoft: "Microsoft", fcm: "FCM", apns_production: "APNs", apns_sandbox: "APNs sandbox" };
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { useGrouping: true });
const spaced = (value) => number.format(value).replaceAll(",", "\u202f");
let newest = 0;
let newestRefusal = 0;
const refused = new Map();

function row(name, tally) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  for (const column of COLUMNS) {
    const cell = document.createElement("td");
    cell.dataset.column = column;
    cell.textContent = tally[column] === undefined ? "\u2013" : spaced(tally[column]);
    if (tally[column] > 0 && (column === "doubled" || column === "unreadable")) cell.className = "bad";
    line.append(cell);
  }
  return line;
}

function heading(name) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "rowgroup";
  head.colSpan = COLUMNS.length + 1;
  head.textContent = name;
  line.className = "group";
  line.append(head);
  return line;
}

/** What apps are sent is not encrypted for them: there is nothing to count. */
function ofApps(tally) {
  return Object.fromEntries(Object.entries(tally).filter(([column]) => !OF_BROWSERS.includes(column)));
}

function showCrowd({ kinds }, apple) {
  const groups = { Browsers: [], "Android apps, at FCM": [], "Apple apps, at APNs": [] };
  for (const [kind, tally] of Object.entries(kinds)) {
    if (kind.startsWith("fcm ")) groups["Android apps, at FCM"].push([kind.slice(4).replaceAll("_", " "), ofApps(tally)]);
    else groups.Browsers.push([kind.replaceAll("_", " "), tally]);
  }
  groups["Apple apps, at APNs"] = Object.entries(apple.kinds).map(([kind, tally]) => [kind, ofApps(tally)]);
  for (const rows of Object.values(groups)) rows.sort(([one], [other]) => (other === "none") - (one === "none"));
  const some = Object.entries(groups).filter(([, rows]) => rows.length > 0);
  byId("no-crowd").hidden = some.length > 0;
  byId("crowd-box").hidden = some.length === 0;
  const bodies = some.map(([name, rows]) => {
    const body = document.createElement("tbody");
    body.append(...(some.length > 1 ? [heading(name)] : []), ...rows.map((pair) => row(...pair)));
    return body;
  });
  const table = byId("total").parentElement;
  for (const old of table.querySelectorAll("tbody")) old.remove();
  byId("total").before(...bodies);
  const tallies = some.flatMap(([, rows]) => rows.map(([, tally]) => tally));
  const sum = (column) => tallies.reduce((all, tally) => all + (tally[column] ?? 0), 0);
  byId("total").replaceChildren(row("Total", Object.fromEntries(COLUMNS.map((column) => [column, sum(column)]))));
}

function moment(time, seconds) {
  const then = new Date(seconds * 1000);
  time.dateTime = then.toISOString();
  time.textContent = then.toLocaleTimeString();
}

/** Names and values, without those that a message does not have. */
function facts(list, pairs) {
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    const term = document.createElement("dt");
    const said = document.createElement("dd");
    term.textContent = name;
    said.textContent = String(value);
    list.append(term, said);
  }
}

function item(message) {
  const made = byId("message").content.cloneNode(true);
  const part = (selector) => made.querySelector(selector);
  part(".title").textContent = message.title || UNREAD[message.reading] || "A message of another form";
  part(".text").textContent = message.body || "";
  moment(part("time"), message.at);
  const actions = part(".actions");
  for (const action of message.actions) {
    const chip = document.createElement("li");
    chip.textContent = action.title ?? action.id ?? "?";
    actions.append(chip);
  }
  if (message.actions.length === 0) actions.remove();
  part(".facts").textContent = [
    `${message.recipient} ${message.to}`,
    SERVICES[message.flavour] ?? message.flavour,
    READINGS[message.reading],
    `${spaced(message.size)} bytes`,
    `TTL ${spaced(message.ttl)} s`,
    `${message.flavour.startsWith("apns") ? "priority" : "urgency"} ${message.urgency}`,
    message.topic ? `topic ${message.topic}` : "no topic",
  ].join(" \u00b7 ");
  facts(part("dl"), [
    ["opens", message.navigate],
    ["icon", message.icon],
    ["image", message.image],
    ["badge", message.badge],
    ...message.actions.map((action) => [`button ${action.id ?? "?"}`, action.url || "only an answer"]),
    ["delivery", message.delivery],
    ...Object.entries(message.headers),
  ]);
  if (message.payload) part("pre").textContent = message.payload;
  else part("pre").remove();
  return made;
}

function refusal({ times, last }) {
  const made = byId("refusal").content.cloneNode(true);
  const part = (selector) => made.querySelector(selector);
  const [reason, ...detail] = last.why.split(": ");
  part(".title").textContent = `${last.status} ${reason.replaceAll("_", " ")}`;
  part(".text").textContent = detail.join(": ");
  const facts = [SERVICES[last.flavour] ?? last.flavour, times === 1 ? "once" : `${spaced(times)} times`, last.to && `last for ${last.to}`];
  part(".facts").textContent = facts.filter(Boolean).join(" \u00b7 ");
  moment(part("time"), last.at);
  return made;
}

/** Leave only what has the searched words in it: a subscriber, a title, a topic. */
function sift() {
  const wanted = byId("only").value.trim().toLowerCase();
  for (const line of byId("messages").children) line.hidden = !line.textContent.toLowerCase().includes(wanted);
}

/** Put new ones on top; what is too old for the list leaves it. */
function putOn(list, made, most) {
  list.prepend(...made);
  while (list.children.length > most) list.lastElementChild.remove();
}

function showMessages(messages) {
  if (messages.length === 0) return;
  newest = messages[0].n;
  byId("no-messages").hidden = true;
  byId("only-box").hidden = false;
  putOn(byId("messages"), messages.map(item), KEPT);
  sift();
}

/** The same refusal again and again is one line with a count, the latest first. */
function showRefusals(refusals) {
  if (refusals.length === 0) return;
  newestRefusal = refusals[0].n;
  byId("refused-box").hidden = false;
  for (const last of refusals.toReversed()) {
    const kind = `${last.flavour} ${last.status} ${last.why}`;
    const times = (refused.get(kind)?.times ?? 0) + 1;
    refused.delete(kind);
    refused.set(kind, { times, last });
  }
  byId("refusals").replaceChildren(...[...refused.values()].slice(-REFUSALS_SHOWN).reverse().map(refusal));
}

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function refresh() {
  const live = byId("live");
  try {
    const [summary, apple, { messages }, { refusals }] = await Promise.all([
      json("/subscribers/summary"),
      json("/apns/summary"),
      json(`/messages?limit=${KEPT}&after=${newest}`),
      json(`/refusals?limit=${REFUSALS_KEPT}&after=${newestRefusal}`),
    ]);
    showCrowd(summary, apple);
    showMessages(messages);
    showRefusals(refusals);
    if (live.className !== "on") live.textContent = "Live";
    live.className = "on";
  } catch {
    if (live.className !== "off") live.textContent = "The simulator does not answer. Start it again; this page goes on by itself.";
    live.className = "off";
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}

byId("only").addEventListener("input", sift);
refresh();
