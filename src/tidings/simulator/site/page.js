"use strict";

const byId = (id) => document.getElementById(id);
const server = document.body.dataset.tidings;

const WORDS = {
  unsupported:
    "This browser has no push notifications here. On an iPhone or iPad, add this page to the Home Screen and open it there.",
  undecided: "Get a notification when a story breaks. Your browser will ask once; you can turn it off here at any time.",
  denied:
    "Notifications are blocked for this site. Open the padlock in the address bar, set Notifications to Allow, then reload.",
  registered: "This device gets notifications. Send one from the dashboard and it will show up, even with this page closed.",
  unregistered: "This device is allowed to show notifications but is not registered. Press Enable to register it.",
};

function tell(text) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  const now = new Date();
  time.dateTime = now.toISOString();
  time.textContent = now.toLocaleTimeString();
  const words = document.createElement("span");
  words.textContent = text;
  line.append(time, words);
  byId("list").prepend(line);
  byId("events").hidden = false;
}

function show(state) {
  byId("state").textContent = state;
  byId("words").textContent = WORDS[state];
  byId("enable").hidden = !["undecided", "unregistered"].includes(state);
  byId("disable").hidden = state !== "registered";
}

function explain(error) {
  byId("words").textContent = error?.message ?? String(error);
  tell(byId("words").textContent);
}

/** Run what a button does; the call into the SDK comes first, while the browser still counts the click. */
async function press(button, action) {
  const promise = action();
  button.disabled = true;
  try {
    const state = await promise;
    show(state);
    if (Tidings.lastError && state === "unregistered") explain(Tidings.lastError);
  } catch (error) {
    explain(error);
  } finally {
    button.disabled = false;
  }
}

/** What a site keeps in its own session; here the browser keeps it. */
const session = {
  user: () => localStorage.getItem("user"),
  topics: () => JSON.parse(localStorage.getItem("topics") ?? "[]"),
};

const nameOf = (user) => ({ "u-ida": "Ida", "u-jo": "Jo" })[user] ?? user;

function showReader() {
  const user = session.user();
  byId("who").textContent = user ? `Signed in as ${nameOf(user)}.` : "Nobody is signed in.";
  for (const button of document.querySelectorAll("[data-user]")) button.hidden = button.dataset.user === user;
  byId("sign-out").hidden = !user;
}

/** Sign somebody in or out, here and for this device's notifications. */
async function become(user) {
  if (user) localStorage.setItem("user", user);
  else localStorage.removeItem("user");
  showReader();
  try {
    await (user ? Tidings.login(user) : Tidings.logout());
    tell(user ? `What is sent to ${nameOf(user)} comes to this device.` : "This device gets only what is sent to everybody.");
  } catch (error) {
    explain(error);
  }
}

async function choose(box) {
  const chosen = session.topics().filter((topic) => topic !== box.name);
  localStorage.setItem("topics", JSON.stringify(box.checked ? [...chosen, box.name] : chosen));
  try {
    const kept = await Tidings.tags.set({ [box.name]: box.checked ? "yes" : null });
    tell(kept ? `Tags of this device: ${Object.keys(kept).join(", ") || "none"}` : "Your choice is sent when this device is registered.");
  } catch (error) {
    explain(error);
  }
}

function setUpReader() {
  for (const button of document.querySelectorAll("[data-user]")) {
    button.addEventListener("click", () => become(button.dataset.user));
  }
  byId("sign-out").addEventListener("click", () => become(null));
  for (const box of document.querySelectorAll("fieldset input")) {
    box.checked = session.topics().includes(box.name);
    box.addEventListener("change", () => choose(box));
  }
  showReader();
  byId("yours").hidden = false;
}

function titleOf(detail) {
  return detail?.title ?? detail?.notification?.title ?? "a notification";
}

async function start() {
  byId("date").textContent = new Date().toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long" });
  if (typeof Tidings === "undefined") {
    byId("state").textContent = "no SDK";
    byId("words").textContent = `Tidings does not answer at ${server}, so its SDK did not load. Start it with \u201ctidings up --demo\u201d, then reload.`;
    return;
  }
  byId("enable").addEventListener("click", (event) => press(event.currentTarget, () => Tidings.subscribe()));
  byId("disable").addEventListener("click", (event) =>
    press(event.currentTarget, async () => {
      await Tidings.unsubscribe();
      return Tidings.state();
    }),
  );
  setUpReader();
  try {
    const user = session.user();
    await Tidings.init({ user: user ? { id: user } : null });
    Tidings.on("change", (state) => {
      if (state in WORDS) show(state);
    });
    Tidings.on("received", (detail) => tell(`Received: ${titleOf(detail)}`));
    Tidings.on("clicked", (detail) => tell(`Clicked: ${titleOf(detail)}${detail?.action ? ` (button ${detail.action})` : ""}`));
    show(await Tidings.state());
    // It asks only those who were not asked before, and stays away for some days after a "Not now".
    Tidings.banner({ site: "Harbour News" });
  } catch (error) {
    explain(error);
  }
}

start();
