/** The words of the bell and of the switches. `{n}`, `{title}` and `{site}` are filled in. */
const en = {
  bell: "Notifications",
  bellUnread: "Notifications, {n} unread",
  close: "Close",
  all: "Mark all as read",
  settings: "Notification settings",
  back: "Back to the notifications",
  archive: "Remove “{title}”",
  unread: "Unread",
  older: "Show older",
  empty: "Nothing here yet",
  emptyBody: "When something happens that concerns you, you will find it here.",
  failed: "The notifications did not load",
  failedBody: "Check your connection, then try again.",
  signedOut: "You are not signed in",
  signedOutBody: "Sign in to see your notifications.",
  again: "Try again",
  lost: "The connection is lost. Trying again.",
  came: "New notification: {title}",
  now: "now",
  device: "Push notifications",
  deviceBody: "On this device, also while the site is closed.",
  on: "On",
  off: "Off",
  working: "One moment",
  denied: "Your browser blocks notifications of this site. Allow them at the icon beside the address, then come back.",
  unsupported: "This browser cannot show push notifications. On an iPhone, open the site from the Home Screen.",
  turnedOff: "Push notifications are not available on this site at the moment.",
  deviceFailed: "That did not work. Try again in a moment.",
  events: "What you hear of",
  push: "Push",
  feed: "Bell",
  always: "Always on",
  none: "There is nothing to choose yet.",
  quiet: "Quiet hours",
  quietBody: "Pushes that are not urgent wait until they end.",
  from: "From",
  to: "To",
  zone: "In your time zone, {n}",
  saved: "Saved",
  notSaved: "Not saved. Check your connection and try again.",
};

export type Texts = typeof en;

const de: Texts = {
  bell: "Mitteilungen",
  bellUnread: "Mitteilungen, {n} ungelesen",
  close: "Schließen",
  all: "Alle gelesen",
  settings: "Einstellungen für Mitteilungen",
  back: "Zurück zu den Mitteilungen",
  archive: "„{title}“ entfernen",
  unread: "Ungelesen",
  older: "Ältere anzeigen",
  empty: "Noch nichts da",
  emptyBody: "Wenn etwas geschieht, das dich betrifft, findest du es hier.",
  failed: "Die Mitteilungen wurden nicht geladen",
  failedBody: "Prüfe die Verbindung und versuche es noch einmal.",
  signedOut: "Du bist nicht angemeldet",
  signedOutBody: "Melde dich an, um deine Mitteilungen zu sehen.",
  again: "Noch einmal versuchen",
  lost: "Die Verbindung ist unterbrochen. Neuer Versuch.",
  came: "Neue Mitteilung: {title}",
  now: "jetzt",
  device: "Push-Mitteilungen",
  deviceBody: "Auf diesem Gerät, auch wenn die Seite geschlossen ist.",
  on: "Ein",
  off: "Aus",
  working: "Einen Moment",
  denied: "Der Browser blockiert Mitteilungen dieser Seite. Erlaube sie beim Symbol neben der Adresse und komm dann zurück.",
  unsupported: "Dieser Browser kann keine Push-Mitteilungen zeigen. Auf dem iPhone öffne die Seite vom Home-Bildschirm.",
  turnedOff: "Push-Mitteilungen sind auf dieser Seite zurzeit nicht verfügbar.",
  deviceFailed: "Das hat nicht geklappt. Versuche es gleich noch einmal.",
  events: "Wovon du erfährst",
  push: "Push",
  feed: "Glocke",
  always: "Immer an",
  none: "Es gibt noch nichts auszuwählen.",
  quiet: "Ruhezeiten",
  quietBody: "Was nicht dringend ist, wartet bis zu ihrem Ende.",
  from: "Von",
  to: "Bis",
  zone: "In deiner Zeitzone, {n}",
  saved: "Gespeichert",
  notSaved: "Nicht gespeichert. Prüfe die Verbindung und versuche es noch einmal.",
};

const LANGUAGES: Record<string, Texts> = { en, de };

export interface Words {
  language: string;
  say(key: keyof Texts, filling?: string): string;
}

/** The language that was asked for, else the first of the browser's that there is, else English. */
export function wordsFor(asked: string | undefined, browser: readonly string[]): Words {
  const known = [asked ?? "", ...browser].map((tag) => tag.toLowerCase().split(/[-_]/)[0] ?? "").find((tag) => tag in LANGUAGES) ?? "en";
  const texts = LANGUAGES[known] ?? en;
  return { language: known, say: (key, filling = "") => texts[key].replace(/\{\w+\}/, () => filling) };
}
