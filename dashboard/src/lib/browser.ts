/** What browser this is, and in its words how to mend what only its settings can mend. */

export type Browser = 'Firefox' | 'Edge' | 'Chrome' | 'Safari' | 'this browser'

export interface Surroundings {
  userAgent: string
  touchPoints: number
  standalone: boolean
}

export function surroundings(): Surroundings {
  return {
    userAgent: navigator.userAgent,
    touchPoints: navigator.maxTouchPoints,
    standalone: matchMedia('(display-mode: standalone)').matches,
  }
}

export function browserOf(userAgent: string): Browser {
  if (/Firefox|FxiOS/.test(userAgent)) return 'Firefox'
  if (/Edg/.test(userAgent)) return 'Edge'
  if (/Chrome|CriOS|Chromium/.test(userAgent)) return 'Chrome'
  if (/Safari/.test(userAgent)) return 'Safari'
  return 'this browser'
}

/** iPhone and iPad; an iPad says it is a Mac, but no Mac has a touch screen. */
export function isAppleMobile({ userAgent, touchPoints }: Surroundings): boolean {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1)
}

/** An iPhone's or iPad's ordinary tab, where push works only from the Home Screen (iOS 16.4 and later). */
export function isAppleTab(of: Surroundings): boolean {
  return isAppleMobile(of) && !of.standalone
}

/** Where to allow notifications again after they were blocked. */
export function regrant(of: Surroundings): string {
  if (isAppleMobile(of)) return 'Open the Settings app, then Notifications, then Tidings, and turn on Allow Notifications.'
  switch (browserOf(of.userAgent)) {
    case 'Firefox':
      return 'Open the padlock in the address bar, clear “Blocked” beside Send notifications, then reload.'
    case 'Safari':
      return 'Open Safari’s Settings, then Websites, then Notifications, set this site to Allow, then reload.'
    case 'Chrome':
    case 'Edge':
      return 'Open the icon left of the address, set Notifications to Allow, then reload.'
    case 'this browser':
      return 'Open this site’s permissions in the browser’s settings, set Notifications to Allow, then reload.'
  }
}

/** The system, as people call it. */
export function systemOf(userAgent: string): string {
  if (/iPhone|iPod/.test(userAgent)) return 'iPhone'
  if (/iPad/.test(userAgent)) return 'iPad'
  if (/Android/.test(userAgent)) return 'Android'
  if (/Windows/.test(userAgent)) return 'Windows'
  if (/Macintosh/.test(userAgent)) return 'macOS'
  if (/CrOS/.test(userAgent)) return 'ChromeOS'
  return /Linux/.test(userAgent) ? 'Linux' : 'this device'
}
