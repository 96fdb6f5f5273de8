/** What a page may say about the bell and the switches, and what it is given. */

/** One notification in the bell, in the person's language. */
export interface FeedItem {
  id: string;
  type: string | null;
  title: string;
  body: string;
  url: string | null;
  icon: string | null;
  image: string | null;
  actions: { id: string; title: string; url: string | null }[];
  data: Record<string, unknown>;
  at: string;
  seen: boolean;
  read: boolean;
  archived: boolean;
}

export interface Counts {
  unread: number;
  /** Of the unread ones, those that came since the bell was last opened. */
  unseen: number;
}

interface PanelOptions {
  /** A BCP 47 tag; otherwise the first of the browser's languages that there is. */
  language?: string | undefined;
  /** `auto` follows the background of the page. */
  theme?: "auto" | "light" | "dark" | undefined;
}

export interface BellOptions extends PanelOptions {
  /** A note in the page's corner when something comes while it is looked at; on by default. */
  toast?: boolean | undefined;
  /** Whether the bell leads to the person's switches; on by default. */
  preferences?: boolean | undefined;
  /** Called when an item is opened; `false` keeps the browser from following its link: for pages that route by themselves. */
  open?: ((item: FeedItem) => boolean | void) | undefined;
  /** Called with every new count, for a number elsewhere in the page. */
  count?: ((counts: Counts) => void) | undefined;
}

export type PreferencesOptions = PanelOptions;

export interface Bell {
  readonly counts: Counts;
  show(): void;
  hide(): void;
  /** Take it out of the page, and hear nothing more. */
  remove(): void;
}

export interface Switches {
  remove(): void;
}

/** Where it goes: an element, or a selector that finds one. */
export type Place = Element | string;

/** What a person wants to follow, and what no longer; the rest stays. */
export interface TopicsChange {
  follow?: string[] | undefined;
  unfollow?: string[] | undefined;
}
