/** Where this script came from: the line that the server puts before it. */
export interface Origin {
  server: string;
  app: string;
}

declare const self: typeof globalThis & { __tidings?: Partial<Origin> };

export function servedBy(): Partial<Origin> {
  return self.__tidings ?? {};
}

/** The public API of one App: `https://push.example/v1/app_1/push`. */
export function pushUrl({ server, app }: Origin): string {
  return `${server.replace(/\/+$/, "")}/v1/${encodeURIComponent(app)}/push`;
}
