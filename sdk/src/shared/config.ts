/** Where this script came from: the line that the server puts before it. */
export interface Origin {
  server: string;
  app: string;
}

/** What the line says; `key` is the App's VAPID key of this moment, known to the page's script alone. */
interface Served extends Origin {
  key: string;
  /** Web push of this App is turned off. */
  off: boolean;
}

declare const self: typeof globalThis & { __tidings?: Partial<Served> };

export function servedBy(): Partial<Served> {
  return self.__tidings ?? {};
}

/** The public API of one App: `https://push.example/v1/app_1/push`. */
export function pushUrl({ server, app }: Origin): string {
  return `${server.replace(/\/+$/, "")}/v1/${encodeURIComponent(app)}/push`;
}
